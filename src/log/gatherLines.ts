import { Writable } from 'node:stream';

const gatherMs = 10;

/**
 * A stream that hands the lines of 10 ms to `write` in one piece: a system call for every line would cost more than all
 * the rest of logging it. The first line after a pause does not wait. `end` is called with everything written.
 */
export function gatherLines(write: (lines: string) => void, end: () => Promise<void>): Writable {
  const writeNow = (lines: string, done: () => void) => {
    write(lines);
    // Until `done` is called, the stream gathers what comes.
    setTimeout(done, gatherMs);
  };
  return new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => writeNow(line, done),
    writev: (lines: { chunk: string }[], done) => writeNow(lines.map(({ chunk }) => chunk).join(''), done),
    final: (done) => void end().then(() => done(), done),
  });
}
