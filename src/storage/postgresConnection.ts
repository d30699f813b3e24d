import postgres from 'postgres';
import { DependencyUnavailableError } from '../errors.ts';
import { type Codecs, parseJson } from './drizzleClient.ts';
import type { Connection } from './pool.ts';
import { addArrayParsers } from './postgresArrays.ts';
import { createPostgresSocket } from './postgresSocket.ts';

const openTimeoutMs = 2000;

export type PostgresConnectionOptions = {
  url: string;
  codecs: Codecs;
  /** Server settings of the session. */
  settings: Record<string, string>;
  /** Whether this statement is worth keeping prepared on the server. */
  isPrepared: (text: string) => boolean;
  onStatement?: (sql: string) => void;
};

/** One connection to Postgres, opened at its first statement and never opened again. */
export function createPostgresConnection(options: PostgresConnectionOptions): Connection {
  const { isPrepared, onStatement } = options;
  let isOpen = false;
  let isEnded = false;
  const socket = createPostgresSocket();
  const client = postgres(options.url, {
    // An option that the types of postgres.js leave out.
    ...{ socket: socket.open },
    max: 1,
    max_lifetime: null,
    connect_timeout: 0,
    fetch_types: false,
    connection: { application_name: 'nexus', ...options.settings },
    onnotice: () => undefined,
    onclose: () => {
      isEnded = true;
    },
  });
  Object.assign(client.options.parsers, options.codecs.parsers);
  Object.assign(client.options.serializers, options.codecs.serializers);
  Object.assign(client.options.parsers, { 114: parseJson, 3802: parseJson });
  addArrayParsers(client.options.parsers);

  async function open(): Promise<void> {
    const timer = setTimeout(() => void destroy(), openTimeoutMs);
    try {
      await client.unsafe('select 1');
      isOpen = true;
    } catch (error) {
      throw new DependencyUnavailableError('database', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async function run(text: string, params: unknown[], asArrays: boolean): Promise<unknown> {
    onStatement?.(text);
    try {
      if (!isOpen) {
        await open();
      }
      if (isEnded) {
        throw new DependencyUnavailableError('database', { cause: new Error('The connection was lost.') });
      }
      const query = client.unsafe(text, params as postgres.ParameterOrJSON<never>[], { prepare: isPrepared(text) });
      return await (asArrays ? query.values() : query);
    } catch (error) {
      // Only an error that the server reported leaves postgres.js in a known state.
      if (!(isOpen && error instanceof postgres.PostgresError)) {
        isEnded = true;
      }
      throw error;
    }
  }

  async function destroy(): Promise<void> {
    isEnded = true;
    await client.end({ timeout: 0 });
    socket.close();
  }

  return { run, isUsable: () => !isEnded, destroy };
}
