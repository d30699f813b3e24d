import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { createLogger, format, type Logger, transports } from 'winston';
import type { Config } from './config.ts';
import { describeError } from './log/describeError.ts';
import { gatherLines } from './log/gatherLines.ts';
import { redactEntries } from './log/redactEntries.ts';
import { redactText } from './log/redactText.ts';
import { RotatingFile } from './log/rotatingFile.ts';

export { describeError } from './log/describeError.ts';

const maxClientTextLength = 256;
const closeDeadlineMs = 5_000;

/** The names by which winston's parts know the finished line and the extra arguments. */
const MESSAGE = Symbol.for('message');
const SPLAT = Symbol.for('splat');

type Info = Parameters<Parameters<typeof format>[0]>[0];

const streams = new WeakMap<Logger, Writable>();

/** What is logged of each request, once, when it has ended. */
export type RequestEvent = {
  requestId: string;
  /** Null where the request was not HTTP enough to have one. */
  method: string | null;
  /** Without the query string. */
  path: string | null;
  /** Of the answer; 499 where the client left before it was complete. */
  status: number;
  durationMs: number;
  ip: string;
  userAgent: string | null;
  operationName: string | null;
  operationType: string | null;
  codes: readonly string[];
  /** The limits in shadow that would have refused it; absent where there are none. */
  shadowLimits?: readonly string[];
  callerKind: string;
  callerId: string | null;
  credentialId: string | null;
  /** Set where the key came in with the secret that it had before its last rotation. */
  isReplacedSecret?: true;
  /** Of the answer's body. */
  bytes: number;
};

/**
 * JSON lines on standard output and in the rotating file of the settings, with nothing in them that has the name or the
 * format of a secret. Neither output can break the process: a failure is told once on standard error.
 */
export function createLog({ logLevel, auditLogFile }: Pick<Config, 'logLevel' | 'auditLogFile'>): Logger {
  const file = new RotatingFile(auditLogFile, tellFailureOf('the log file'));
  const stdoutFailed = tellFailureOf('standard output');
  // Without a listener, a reader that closes our pipe would end the process.
  process.stdout.on('error', stdoutFailed);
  const stream = gatherLines(
    (lines) => {
      process.stdout.write(lines);
      file.write(lines);
    },
    async () => {
      process.stdout.off('error', stdoutFailed);
      await file.end();
    },
  );
  const log = createLogger({
    level: logLevel,
    silent: logLevel === 'silent',
    format: jsonLine(),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  log.on('error', tellFailureOf('the log'));
  streams.set(log, stream);
  return log;
}

/** Writes everything that was logged, and closes the log; gives up after 5 s. */
export async function closeLog(log: Logger): Promise<void> {
  const signal = AbortSignal.timeout(closeDeadlineMs);
  try {
    await Promise.all([once(log, 'finish', { signal }), log.end()]);
    const stream = streams.get(log);
    if (stream) await Promise.all([once(stream, 'finish', { signal }), stream.end()]);
  } catch (error) {
    tellFailureOf('the log')(error);
  }
}

/**
 * The event of one request: the flat line is made here at once, since the formats of winston would look into every
 * field, and only the texts that come from the client can hold what is not for a log.
 */
export function logRequest(log: Logger, event: RequestEvent): void {
  if (log.silent || !log.isLevelEnabled('info')) return;
  const line = JSON.stringify({
    timestamp: new Date().toISOString(),
    level: 'info',
    event: 'request',
    ...event,
    path: clientText(event.path),
    userAgent: clientText(event.userAgent),
    operationName: clientText(event.operationName),
  });
  log.log({ level: 'info', message: 'request', [MESSAGE]: line });
}

/** The format of everything else. */
const jsonLine = format((info) => {
  info[MESSAGE] ??= toLine(info);
  return info;
});

function toLine(info: Info): string {
  const timestamp = new Date().toISOString();
  const { level } = info;
  try {
    return JSON.stringify({ timestamp, level, ...entryOf(info) });
  } catch (error) {
    // A getter that throws, for example: better a line without the entry than a failure of whoever logs.
    return JSON.stringify({ timestamp, level, message: 'An entry could not be logged.', error: describeError(error) });
  }
}

function entryOf(info: Info): object {
  if (info instanceof Error) return { message: redactText(info.name), error: describeError(info) };
  const { level: _level, message, ...rest } = info;
  const [meta]: unknown[] = Array.isArray(info[SPLAT]) ? info[SPLAT] : [];
  if (!(meta instanceof Error)) return { message: redactText(String(message)), ...redactEntries(rest) };
  // winston appends the message of an error to ours, and copies its properties.
  const suffix = meta.message && ` ${meta.message}`;
  const text = String(message);
  return {
    message: redactText(text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text),
    error: describeError(meta),
  };
}

function clientText(text: string | null): string | null {
  return text === null ? null : redactText(text.slice(0, maxClientTextLength));
}

function tellFailureOf(what: string): (error: unknown) => void {
  let isTold = false;
  return (error) => {
    if (isTold) return;
    isTold = true;
    const { name, code } = describeError(error);
    process.stderr.write(`${what} cannot be written: ${code ?? name}\n`);
  };
}
