import { Cluster, Redis } from 'ioredis';
import { parseRedisNodes } from './redisNodes.ts';

type Command = Parameters<Redis['sendCommand']>[0];
type WriteableStream = Parameters<Redis['sendCommand']>[1];

/** One Redis, or a cluster of them. */
export type RedisConnection = Redis | Cluster;

const commandTimeoutMs = 170;
const lookEveryMs = 15;
const silenceTimeoutMs = 1000;
const startTimeoutMs = 2000;
const maxRetryDelayMs = 1000;
const connectTimeoutMs = 500;
const slotsRefreshIntervalMs = 5000;
const defaultPort = 6379;

/**
 * Connects to Redis, or to a cluster where the text names several nodes; rejects where it does not answer within 2 s.
 * Later every command answers or fails within 170 ms, and at once while another one has had no answer in that time; a lost
 * connection is looked for in the background, at most a second apart; `onError` hears of each failure.
 */
export async function openRedis(text: string, onError: (error: Error) => void): Promise<RedisConnection> {
  const redis = create(text);
  limit(redis);
  redis.on('error', onError);
  try {
    await connect(redis);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

function create(text: string): RedisConnection {
  const nodes = parseRedisNodes(text);
  if (nodes === null) throw new Error('This is no address of Redis.');
  const common = { lazyConnect: true, enableOfflineQueue: false };
  const ofConnection = { maxRetriesPerRequest: 1, connectTimeout: connectTimeoutMs };
  const [first] = nodes.urls;
  if (!nodes.isCluster || !first) return new Redis(text, { ...common, ...ofConnection, retryStrategy: retryDelayMs });
  const isTls = first.protocol === 'rediss:';
  return new Cluster(
    nodes.urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || defaultPort),
    })),
    {
      ...common,
      clusterRetryStrategy: retryDelayMs,
      slotsRefreshTimeout: connectTimeoutMs,
      slotsRefreshInterval: slotsRefreshIntervalMs,
      retryDelayOnFailover: 0, // Whoever calls has another way, and no time.
      retryDelayOnClusterDown: 0,
      redisOptions: {
        ...ofConnection,
        ...(first.username && { username: decodeURIComponent(first.username) }),
        ...(first.password && { password: decodeURIComponent(first.password) }),
        ...(isTls && { tls: {} }),
      },
      // A certificate is for the name, not for what it resolves to.
      ...(isTls && { dnsLookup: (name: string, done: (error: null, name: string) => void) => done(null, name) }),
    },
  );
}

function retryDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** attempt, maxRetryDelayMs) * (0.5 + Math.random() / 2);
}

/** A connection of its own for subscriptions, as `redis` is connected; it comes back by itself after a loss. */
export function openSubscriber(redis: RedisConnection, onError: (error: Error) => void): RedisConnection {
  const subscriber = redis instanceof Cluster ? redis.duplicate() : redis.duplicate({ autoResubscribe: false });
  limit(subscriber);
  subscriber.on('error', onError);
  subscriber.connect().catch(() => undefined); // The error event says more, and the next attempts are ioredis's own.
  return subscriber;
}

/** The number of the database, of which a cluster has one. */
export function databaseOf(redis: RedisConnection): number {
  return redis instanceof Cluster ? 0 : (redis.options.db ?? 0);
}

/** A cluster has a deadline for what it tries at one node after another, and each node for what it was sent. */
function limit(redis: RedisConnection): void {
  limitCommands(redis);
  if (redis instanceof Cluster)
    redis.on('+node', (node: Redis) => {
      limitCommands(node);
      // ioredis connects with the first command, and refuses those that come meanwhile.
      node.connect().catch(() => undefined);
    });
}

/** A command that was sent, and its own `reject`, which a cluster replaces by one that tries again. */
type Sent = { command: Command; reject: Command['reject']; at: number; isRejected: boolean };

/**
 * Fails what has no answer after 170 ms, give or take a look. ioredis's own time-out fires before the answers are read that
 * came while this process was busy, and takes its pause for a Redis that does not answer; so the sockets have their turn
 * first. One timer looks after all commands, since a timer for each costs as much as the rest of it.
 */
function limitCommands(redis: RedisConnection): void {
  const send = redis.sendCommand.bind(redis);
  const unanswered: Sent[] = [];
  let isWatching = false;
  const fail = ({ command, reject }: Sent) => {
    reject.call(command, new Error('Command timed out'));
    if (redis instanceof Redis) hangUpIfSilent(redis);
  };
  const look = () => {
    const now = performance.now();
    let passed = 0;
    for (const sent of unanswered) {
      if (!isAnswered(sent)) {
        if (now - sent.at < commandTimeoutMs) break;
        setImmediate(() => isAnswered(sent) || fail(sent));
      }
      passed += 1;
    }
    unanswered.splice(0, passed);
    isWatching = unanswered.length > 0;
    if (isWatching) setTimeout(look, lookEveryMs);
  };
  const watch = (sent: Sent) => {
    sent.at = performance.now();
    unanswered.push(sent);
    if (isWatching) return;
    isWatching = true;
    setTimeout(look, lookEveryMs);
  };
  const afterWriting = redis instanceof Redis ? gatherWrites(redis, watch) : watch;

  redis.sendCommand = (command: Command, stream?: WriteableStream, node?: unknown) => {
    if (redis instanceof Redis && silent.has(redis.stream)) {
      command.reject(new Error('Redis does not answer')); // A request would wait for one command after another.
      return command.promise;
    }
    const { reject } = command;
    const sent: Sent = { command, reject, at: 0, isRejected: false };
    command.reject = (error) => {
      sent.isRejected = true;
      reject.call(command, error);
    };
    afterWriting(sent);
    return send(command, stream, node);
  };
}

function isAnswered({ command, isRejected }: Sent): boolean {
  return command.isResolved || isRejected;
}

/**
 * What several requests send in one turn of the event loop is one write: a system call costs more than a command. Answers
 * what is told of a command and hands it on once that is written, from when on it may be waited for.
 */
function gatherWrites(redis: Redis, watch: (sent: Sent) => void): (sent: Sent) => void {
  let gathered: Sent[] = [];
  const flush = () => {
    const written = gathered;
    gathered = [];
    for (const sent of written) watch(sent);
  };
  return (sent) => {
    if (redis.status !== 'ready') return watch(sent);
    gathered.push(sent);
    if (gathered.length > 1) return;
    const { stream } = redis;
    stream?.cork();
    setImmediate(() => {
      stream?.uncork();
      flush();
    });
  };
}

/** Connections on which nothing has come since a command timed out. */
const silent = new WeakSet<Redis['stream']>();

/** A frozen server keeps its connections: without this they would be waited on for ever, one command after another. */
function hangUpIfSilent({ stream }: Redis): void {
  if (!stream || silent.has(stream)) return;
  silent.add(stream);
  const cancel = afterReading(silenceTimeoutMs - commandTimeoutMs, () => {
    stream.destroy(new Error(`Socket timeout: nothing came in ${silenceTimeoutMs} ms.`));
  });
  const end = () => {
    stream.off('data', end).off('close', end);
    silent.delete(stream);
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

function connect(redis: RedisConnection): Promise<void> {
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
      void untilNodesAreReady(redis).then(() => {
        clearTimeout(timer);
        redis.off('error', remember);
        resolve();
      });
    });
    // The error event says more than this rejection, and the next attempts are ioredis's own.
    redis.connect().catch(() => undefined);
  });
}

async function untilNodesAreReady(redis: RedisConnection): Promise<void> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [];
  const connecting = nodes.filter(({ status }) => status !== 'ready');
  await Promise.all(connecting.map((node) => new Promise((resolve) => node.once('ready', resolve))));
}
