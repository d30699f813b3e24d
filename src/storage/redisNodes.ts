/** A server of Redis, or the nodes of a cluster that were named; they share all but their addresses. */
export type RedisNodes = { urls: readonly URL[]; isCluster: boolean };

/**
 * Reads `redis://:password@a:6379`, or several nodes of a cluster with commas between: either each as a whole, or further
 * addresses alone. A comma before the last @ belongs to a password. Null for anything else: nodes with several users,
 * passwords or schemes, and a cluster with a database, of which it has none but 0.
 */
export function parseRedisNodes(text: string): RedisNodes | null {
  const urls = text.split(/,\s*(?=rediss?:\/\/)/).flatMap(nodesOf);
  const [first] = urls;
  if (!first || urls.includes(null)) return null;
  const nodes = urls.flatMap((url) => url ?? []);
  const isCluster = nodes.length > 1;
  if (isCluster && !nodes.every((url) => sharedPart(url) === sharedPart(first) && /^\/?0?$/.test(url.pathname)))
    return null;
  return { urls: nodes, isCluster };
}

function nodesOf(text: string): (URL | null)[] {
  const at = text.lastIndexOf('@');
  const schemeEnd = text.indexOf('//') + 2;
  const prefix = text.slice(0, at < 0 ? schemeEnd : at + 1);
  return text
    .slice(prefix.length)
    .split(',')
    .map((address) => urlOf(prefix + address.trim()));
}

function urlOf(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && ['redis:', 'rediss:'].includes(url.protocol) && url.hostname !== '' ? url : null;
}

function sharedPart({ protocol, username, password, search }: URL): string {
  return JSON.stringify([protocol, username, password, search]);
}
