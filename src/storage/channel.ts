import { databaseOf, openSubscriber, type RedisConnection } from './redis.ts';

/** Texts from one process to all. What is sent while a process is not connected never reaches it. */
export type Channel = {
  /** Rejects where Redis did not take it. */
  publish(text: string): Promise<void>;
  /** Hears of what is sent from now on, its own texts included. */
  subscribe(listener: (text: string) => void): void;
  close(): void;
};

/**
 * A channel with a connection of its own for what comes in, subscribed anew whenever that comes back. Redis
 * knows no databases here, so the name gets the number of ours: deployments that share a server do not hear each other.
 */
export function createRedisChannel(redis: RedisConnection, name: string, onError: (error: unknown) => void): Channel {
  const ownName = `${name}:${databaseOf(redis)}`;
  const subscriber = openSubscriber(redis, onError);
  subscriber.on('ready', () => void subscriber.subscribe(ownName).catch(onError));
  return {
    async publish(text) {
      await redis.publish(ownName, text);
    },
    subscribe: (listener) => void subscriber.on('message', (_name, text: string) => listener(text)),
    close: () => subscriber.disconnect(),
  };
}
