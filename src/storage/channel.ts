import type { Redis } from 'ioredis';
import { openSubscriber } from './redis.ts';

/** Texts from one process to all. What is sent while a process is not connected never reaches it. */
export type Channel = {
  /** Rejects where Redis did not take it. */
  publish(text: string): Promise<void>;
  /** Hears of what is sent from now on, its own texts included. */
  subscribe(listener: (text: string) => void): void;
  close(): void;
};

/** A channel with a connection of its own for what comes in, subscribed anew whenever that comes back. */
export function createRedisChannel(redis: Redis, name: string, onError: (error: unknown) => void): Channel {
  const subscriber = openSubscriber(redis, onError);
  subscriber.on('ready', () => void subscriber.subscribe(name).catch(onError));
  return {
    async publish(text) {
      await redis.publish(name, text);
    },
    subscribe: (listener) => void subscriber.on('message', (_name, text: string) => listener(text)),
    close: () => subscriber.disconnect(),
  };
}
