import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { TRUST_PROXY: '127.0.0.1/32,10.0.0.0/8' } });
});
afterAll(() => app?.stop());

const asAdmin = () => ({ bearer: app.admin.accessToken });
const block = (input: object) =>
  app.request(operation('BlockIp'), { input: { reason: 'a test', ...input } }, asAdmin());
const blocked = async (input: object) => {
  const { data, text } = await block(input);
  if (!data?.blockIp) throw new Error(`It was not blocked: ${text}`);
  return data.blockIp.ipBlock;
};
const unblock = (id: string) => app.request(operation('UnblockIp'), { id }, asAdmin());
const statusFrom = async (ip: string, url = app.url) =>
  (await fetch(`${url}/health/live`, { headers: { 'x-forwarded-for': ip } })).status;
const secondsLeft = ({ expiresAt }: { expiresAt: string }) => (Date.parse(expiresAt) - Date.now()) / 1000;

let pages = 0;
/** A network that no other test knows. */
function network(): string {
  pages += 1;
  return `198.18.${pages}`;
}

describe('blockIp', () => {
  test('refuses the range at once, and unblockIp lets it in at once', async () => {
    const net = network();
    const { id, cidr, reason } = await blocked({ cidr: `${net}.77/24` });
    expect({ cidr, reason }).toEqual({ cidr: `${net}.0/24`, reason: 'a test' });
    expect(await statusFrom(`${net}.200`)).toBe(403);
    expect(await statusFrom('198.19.0.1')).toBe(200);
    expect((await unblock(id)).data.unblockIp.ipBlock).toEqual({ id });
    expect(await statusFrom(`${net}.200`)).toBe(200);
  });

  test('lasts an hour where nothing is said, and up to a year', async () => {
    expect(secondsLeft(await blocked({ cidr: `${network()}.1` }))).toBeCloseTo(3600, -2);
    const year = await blocked({ cidr: `${network()}.1`, durationSeconds: 31_536_000 });
    expect(secondsLeft(year)).toBeGreaterThan(31_535_000);
  });

  test('of a blocked range goes on with that block, to the later end, with the new reason', async () => {
    const cidr = `${network()}.0/24`;
    const first = await blocked({ cidr, durationSeconds: 7200, reason: 'first' });
    const shorter = await blocked({ cidr, durationSeconds: 60, reason: 'second' });
    expect(shorter).toEqual({ ...first, reason: 'second' });
    const longer = await blocked({ cidr, durationSeconds: 9000 });
    expect(longer.id).toBe(first.id);
    expect(secondsLeft(longer)).toBeGreaterThan(8_000);
    const rows = await app.sql`select version from ip_blocks where cidr = ${cidr}`;
    expect(rows).toEqual([{ version: 3 }]);
  });

  test('of the same range by many at once makes one block', async () => {
    const cidr = `${network()}.0/24`;
    const made = await Promise.all(Array.from({ length: 8 }, () => blocked({ cidr })));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  });

  test.each([
    ['no range', { cidr: 'hello' }, ['input.cidr']],
    ['an IPv4 range wider than /8', { cidr: '8.0.0.0/7' }, ['input.cidr']],
    ['an IPv6 range wider than /16', { cidr: '2000::/15' }, ['input.cidr']],
    ['all of IPv4 in the form of IPv6', { cidr: '::ffff:0:0/96' }, ['input.cidr']],
    ['loopback', { cidr: '127.0.0.2' }, ['input.cidr']],
    ['loopback of IPv6', { cidr: '::1' }, ['input.cidr']],
    ['what holds loopback', { cidr: '::/16' }, ['input.cidr']],
    ['a proxy', { cidr: '10.1.2.3' }, ['input.cidr']],
    ['what holds proxies', { cidr: '::ffff:10.0.0.0/104' }, ['input.cidr']],
    ['a block without a time', { cidr: '198.18.0.1', durationSeconds: 0 }, ['input.durationSeconds']],
    ['more than a year', { cidr: '198.18.0.1', durationSeconds: 31_536_001 }, ['input.durationSeconds']],
    [
      'everything wrong',
      { cidr: '', reason: '', durationSeconds: -1 },
      ['input.cidr', 'input.durationSeconds', 'input.reason'],
    ],
  ])('of %s is BAD_USER_INPUT', async (_what, input, fields) => {
    const answer = await block(input);
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(problemFieldsOf(answer)).toEqual(fields);
  });

  test.each([
    ['203.0.113.9', '203.0.113.0/24'],
    ['2001:db8:7::9', '2001:db8:7::/48'],
    ['203.0.113.9', '::ffff:203.0.113.9'],
  ])('of what holds the own address, %s in %s, is BAD_USER_INPUT', async (ip, cidr) => {
    const headers = { 'x-forwarded-for': ip };
    const input = { cidr, reason: 'a test' };
    const answer = await app.request(operation('BlockIp'), { input }, asAdmin(), headers);
    expect(answer.errors?.[0]?.extensions.problems).toEqual([
      { field: 'input.cidr', message: 'must not hold your own address' },
    ]);
  });

  test('and unblockIp are in the audit log', async () => {
    const cidr = `${network()}.0/24`;
    const { id } = await blocked({ cidr });
    await unblock(id);
    const rows = await app.sql`
      select action, severity, actor_kind, actor_id, detail->>'cidr' as cidr, targets
      from audit_events where targets @> ${app.sql.json([{ id }])} order by sequence`;
    const common = { severity: 'WARNING', actor_kind: 'USER', actor_id: app.admin.id, cidr };
    const targets = [{ type: 'ipBlock', id }];
    expect(rows).toEqual([
      { action: 'ipBlock.create', ...common, targets },
      { action: 'ipBlock.delete', ...common, targets },
    ]);
  });

  test('that is rolled back blocks nobody', async () => {
    const net = network();
    await app.sql`alter table audit_events rename to hidden`;
    try {
      expect(codesOf(await block({ cidr: `${net}.1` }))).toEqual(['DEPENDENCY_UNAVAILABLE']);
    } finally {
      await app.sql`alter table hidden rename to audit_events`;
    }
    expect(await statusFrom(`${net}.1`)).toBe(200);
  });
});

describe('unblockIp', () => {
  test('of a block that is unknown, has ended or was lifted is NOT_FOUND', async () => {
    const lifted = await blocked({ cidr: `${network()}.1` });
    await unblock(lifted.id);
    const ended = await blocked({ cidr: `${network()}.1` });
    await app.sql`update ip_blocks set expires_at = now() where id = ${ended.id}`;
    for (const id of [lifted.id, ended.id, 'block_00000000000000000000000000', ''])
      expect(codesOf(await unblock(id))).toEqual(['NOT_FOUND']);
  });

  test('of a wider block leaves a narrower one', async () => {
    const net = network();
    const wide = await blocked({ cidr: `${net}.0/24` });
    await blocked({ cidr: `${net}.9` });
    await unblock(wide.id);
    expect([await statusFrom(`${net}.9`), await statusFrom(`${net}.8`)]).toEqual([403, 200]);
  });
});

test('ipBlocks shows the active blocks, the newest first, page by page', async () => {
  const own = await startApp();
  onTestFinished(() => own.stop());
  const asOwnAdmin = { bearer: own.admin.accessToken };
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    const input = { cidr: `2001:db8:${index}::/48`, reason: `number ${index}` };
    made.unshift((await own.succeed(operation('BlockIp'), { input }, asOwnAdmin)).blockIp.ipBlock.id);
  }
  await own.succeed(operation('UnblockIp'), { id: made[1] }, asOwnAdmin);
  await own.sql`update ip_blocks set expires_at = now() where id = ${made[3] ?? ''}`;
  const read = async (after: string | null) =>
    (await own.succeed(operation('IpBlocks'), { first: 2, after }, asOwnAdmin)).ipBlocks;
  const nodes = await readPages<{ id: string; cidr: string; automatic: boolean }>(read);
  expect(nodes.map(({ id }) => id)).toEqual([made[0], made[2], made[4]]);
  expect(nodes[0]).toMatchObject({ cidr: '2001:db8:4::/48', automatic: false, reason: 'number 4' });
  const { ipBlocks } = await own.succeed(
    '{ ipBlocks(first: 1) { edges { node { createdBy { id } } } } }',
    {},
    asOwnAdmin,
  );
  expect(ipBlocks.edges[0].node.createdBy).toEqual({ id: own.admin.id });
});

test('a process that starts knows the active blocks, and does not start where it cannot read them', async () => {
  const net = network();
  await blocked({ cidr: `${net}.0/24` });
  const another = await app.startAnother();
  onTestFinished(() => another.stop());
  expect(await statusFrom(`${net}.1`, another.url)).toBe(403);
  await app.sql`alter table ip_blocks rename to hidden`;
  try {
    await expect(app.startAnother()).rejects.toThrow();
  } finally {
    await app.sql`alter table hidden rename to ip_blocks`;
  }
});
