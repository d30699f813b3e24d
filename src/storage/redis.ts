import { Redis } from 'ioredis';

const commandTimeoutMs = 200;
const silenceTimeoutMs = 1000;
const startTimeoutMs = 2000;
const maxRetryDelayMs = 1000;

/**
 * Connects to Redis; rejects where it does not answer within 2 s. Later every command answers or fails within 200 ms,
 * and a lost connection is looked for in the background, at most a second apart; `onError` hears of each failure.
 */
export async function openRedis(url: string, onError: (error: Error) => void): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 500,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, maxRetryDelayMs) * (0.5 + Math.random() / 2),
  });
  limitCommands(redis);
  redis.on('error', onError);
  try {
    await connect(redis);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** A connection of its own for subscriptions, as `redis` is connected; it comes back by itself after a loss. */
export function openSubscriber(redis: Redis, onError: (error: Error) => void): Redis {
  const subscriber = redis.duplicate({ autoResubscribe: false });
  limitCommands(subscriber);
  subscriber.on('error', onError);
  subscriber.connect().catch(() => undefined); // The error event says more, and the next attempts are ioredis's own.
  return subscriber;
}

/**
 * Fails what has no answer after 200 ms. ioredis's own time-out fires before the answers are read that came while this
 * process was busy, and takes its pause for a Redis that does not answer; so the sockets have their turn first.
 */
function limitCommands(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const cancel = afterReading(commandTimeoutMs, () => {
      command.reject(new Error('Command timed out'));
      hangUpIfSilent(redis);
    });
    command.promise.then(cancel, cancel);
    return send(command, stream);
  };
}

const watched = new WeakSet<Redis['stream']>();

/** A frozen server keeps its connections: without this they would be waited on for ever, one command after another. */
function hangUpIfSilent({ stream }: Redis): void {
  if (!stream || watched.has(stream)) return;
  watched.add(stream);
  const cancel = afterReading(silenceTimeoutMs - commandTimeoutMs, () => {
    stream.destroy(new Error(`Socket timeout: nothing came in ${silenceTimeoutMs} ms.`));
  });
  const end = () => {
    stream.off('data', end).off('close', end);
    watched.delete(stream);
    cancel();
  };
  stream.on('data', end).on('close', end);
}

/** A time-out that acts after the sockets had their turn; answers how to cancel it. */
function afterReading(ms: number, act: () => void): () => void {
  let isCancelled = false;
  const timer = setTimeout(() => setImmediate(() => isCancelled || act()), ms);
  return () => {
    isCancelled = true;
    clearTimeout(timer);
  };
}

function connect(redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: Error | undefined;
    const remember = (error: Error) => {
      last = error;
    };
    const timer = setTimeout(() => {
      reject(new Error(`Redis cannot be reached: ${last?.message ?? 'no answer'}`, { cause: last }));
    }, startTimeoutMs);
    redis.on('error', remember);
    redis.once('ready', () => {
      clearTimeout(timer);
      redis.off('error', remember);
      resolve();
    });
    // The error event says more than this rejection, and the next attempts are ioredis's own.
    redis.connect().catch(() => undefined);
  });
}
