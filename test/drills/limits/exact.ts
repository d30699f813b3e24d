import { post } from '../post.ts';
import { limits, type World } from './world.ts';

const read = '{ tasks(first: 1) { edges { node { id } } } }';
const write = 'mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
/** Of `createUser` in an hour. */
const maxUsers = 100;
const aliases = 10;

/** 1,000 requests at the same time over two processes: as many as the limit pass. */
export async function countParallel({ urls, createClient, sql }: World): Promise<boolean> {
  const reader = await createClient('STANDARD');
  const reads = await Promise.all(
    Array.from({ length: 1_000 }, (_, turn) => post(urls[turn % 2] ?? '', turn % 3 ? reader.person : reader.key, read)),
  );
  const writer = await createClient('STANDARD');
  const input = { name: 'drill', type: 'ANALYSIS' };
  const writes = await Promise.all(
    Array.from({ length: 1_000 }, (_, turn) => post(urls[turn % 2] ?? '', writer.person, write, { input })),
  );
  const [tasks] = await sql`select count(*)::int as count from tasks where created_by = ${writer.userId}`;
  const admin = await createClient('ENTERPRISE');
  const creations = await Promise.all(
    Array.from({ length: 1_000 / aliases }, (_, turn) =>
      post(urls[turn % 2] ?? '', admin.person, ...createUsers(turn)),
    ),
  );
  const [users] = await sql`select count(*)::int as count from users where email like 'drilled%'`;
  const lines = [
    { what: '1,000 reads of an owner, by session and by key', limit: limits.STANDARD, ...countOf(reads) },
    { what: '1,000 mutations', limit: limits.STANDARD, ...countOf(writes), ran: tasks?.count },
    { what: `100 requests of ${aliases} aliases`, limit: maxUsers / aliases, ...countOf(creations), ran: users?.count },
  ];
  console.table(lines);
  return (
    lines.every(({ limit, passed, others }) => passed === limit && others === 0) &&
    tasks?.count === limits.STANDARD &&
    users?.count === maxUsers
  );
}

function createUsers(turn: number): [query: string, variables: object] {
  const numbers = Array.from({ length: aliases }, (_, alias) => turn * aliases + alias);
  const fields = numbers.map(
    (number) =>
      `u${number}: createUser(input: { email: "drilled${number}@example.com", password: $password, roles: [VIEWER] }) { user { id } }`,
  );
  return [`mutation($password: String!) { ${fields.join(' ')} }`, { password: 'the password of a drill' }];
}

function countOf(answers: { code: string }[]) {
  const passed = answers.filter(({ code }) => code === 'OK').length;
  const refused = answers.filter(({ code }) => code === 'RATE_LIMITED').length;
  return { passed, refused, others: answers.length - passed - refused };
}
