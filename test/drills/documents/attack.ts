import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostileRequests } from '../../graphql/hostileDocuments.ts';

/**
 * The attacker, in a process of its own: `requests URL SECRET` sends 50 hostile requests a second; `sockets URL` opens
 * 2,000 that stall, and prints how long each kind lasted once all have ended. Prints "attacking" when it has begun.
 */

const requestsPerSecond = 50;
const nonceMark = 'n'.repeat(24);
const socketCount = 2000;
const batchSize = 100;

const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
const stalls: Record<string, string> = {
  nothing: '',
  'half a header': 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-ty',
  'half a body': `${head}content-length: 1000\r\n\r\n{"query":`,
};

async function sendRequests(url: string, secret: string): Promise<never> {
  // Made before, so that the attacker takes no more of the machine than sending does.
  const bodies = hostileRequests.map(({ body }) => Buffer.from(body(nonceMark)));
  console.info('attacking');
  const startedAt = performance.now();
  for (let sent = 0; ; sent++) {
    const body = bodies[sent % bodies.length];
    if (body) post(url, secret, renew(body, sent));
    await sleep(Math.max(0, startedAt + (sent * 1000) / requestsPerSecond - performance.now()));
  }
}

/** The body with another nonce, which no cache knows. */
function renew(body: Buffer, turn: number): Buffer {
  const at = body.indexOf(nonceMark);
  const renewed = Buffer.from(body);
  if (at >= 0) renewed.write(`${process.pid}x${turn}`.padEnd(nonceMark.length, 'x'), at);
  return renewed;
}

function post(url: string, secret: string, body: Buffer): void {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
  const sending = request(`${url}/graphql`, { method: 'POST', headers });
  sending.on('response', (answer) => answer.resume());
  sending.on('error', () => undefined); // The server hangs up on bodies that are too large.
  sending.end(body);
}

async function openSockets(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const kinds = Object.keys(stalls);
  const longest = new Map<string, number>();
  const ends: Promise<unknown>[] = [];
  for (let opened = 0; opened < socketCount; opened++) {
    const kind = kinds[opened % kinds.length] ?? '';
    const socket = connect(Number(port), hostname);
    const startedAt = performance.now();
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(stalls[kind] ?? '');
    const end = () => longest.set(kind, Math.max(longest.get(kind) ?? 0, (performance.now() - startedAt) / 1000));
    ends.push(once(socket, 'close').then(end));
    if (opened % batchSize === 0) await sleep(10);
  }
  console.info('attacking');
  await Promise.all(ends);
  console.info(`lasted ${JSON.stringify(Object.fromEntries(longest))}`);
}

const [mode, url = '', secret = ''] = process.argv.slice(2);
if (mode === 'requests') await sendRequests(url, secret);
else await openSockets(url);
