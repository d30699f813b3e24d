import { afterEach, expect, test, vi } from 'vitest';
import type { Context } from '../../src/context.ts';
import { createDocumentCheck } from '../../src/graphql/documentCheck.ts';

const hourMs = 60 * 60 * 1000;

afterEach(() => {
  vi.useRealTimers();
});

/** A check whose log is looked at; `send` is a document that runs. */
function createLogged(mode: 'log' | 'enforce') {
  const warn = vi.fn();
  const check = createDocumentCheck({ trusted: new Map([['trusted', '{ a }']]), mode });
  const contextValue = { caller: null, requestId: 'r', log: { warn } } as unknown as Context;
  return {
    warn,
    send: (queryHash: string, operationName: string | null = null) =>
      check.note({ queryHash, source: '{ a }', operationName, contextValue }),
  };
}

test('a document that is not trusted is noted once an hour', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { warn, send } = createLogged('log');
  const sendAll = () => {
    for (const hash of ['one', 'two', 'one', 'trusted']) send(hash);
  };
  sendAll();
  vi.advanceTimersByTime(hourMs - 1);
  sendAll();
  expect(warn.mock.calls.map(([, { document }]) => document)).toEqual(['one', 'two']);
  vi.advanceTimersByTime(1);
  sendAll();
  expect(warn).toHaveBeenCalledTimes(4);
});

test('a flood of documents adds a thousand lines an hour, of bounded length', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { warn, send } = createLogged('log');
  for (let n = 0; n < 5_000; n += 1) send(String(n), 'n'.repeat(100_000));
  expect(warn).toHaveBeenCalledTimes(1_000);
  expect(JSON.stringify(warn.mock.calls[0]).length).toBeLessThan(500);
  vi.advanceTimersByTime(hourMs);
  send('another');
  expect(warn).toHaveBeenCalledTimes(1_001);
});

test('nothing is noted where documents are enforced', () => {
  const { warn, send } = createLogged('enforce');
  send('one');
  expect(warn).not.toHaveBeenCalled();
});
