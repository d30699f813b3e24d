import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

const login = gql`
  mutation Login($email: EmailAddress!, $password: String!) {
    login(email: $email, password: $password) { accessToken user { id email } }
  }
`;
const createTask = gql`
  mutation CreateTask($input: CreateTaskInput!) { createTask(input: $input) { task { id name createdBy { id } } } }
`;
const listTasks = gql`
  query Tasks($first: Int) { tasks(first: $first) { edges { cursor node { id name } } pageInfo { hasNextPage } } }
`;

type Login = { login: { accessToken: string; user: { id: string; email: string } } };
type CreateTask = { createTask: { task: { id: string; name: string; createdBy: { id: string } } } };
type ListTasks = {
  tasks: { edges: { cursor: string; node: { id: string; name: string } }[]; pageInfo: { hasNextPage: boolean } };
};

/** What a test does with a client; it rejects where the answer has errors. */
type Caller = {
  mutate<Data>(document: ReturnType<typeof gql>, variables: object): Promise<Data>;
  query<Data>(document: ReturnType<typeof gql>, variables: object): Promise<Data>;
};

/** A client as its manual sets it up, with the token once there is one. */
const clients: Record<string, (url: string, token?: string) => Caller> = {
  'Apollo Client': (uri, token) => {
    const client = new ApolloClient({
      link: new HttpLink({ uri, headers: headersOf(token) }),
      cache: new InMemoryCache(),
    });
    return {
      mutate: async <Data>(mutation: ReturnType<typeof gql>, variables: object) =>
        required((await client.mutate<Data>({ mutation, variables: { ...variables } })).data as Data | undefined),
      query: async <Data>(query: ReturnType<typeof gql>, variables: object) =>
        required((await client.query<Data>({ query, variables: { ...variables } })).data as Data | undefined),
    };
  },

  'graphql-request': (url, token) => {
    const client = new GraphQLClient(url, { headers: headersOf(token) });
    const send = <Data>(document: ReturnType<typeof gql>, variables: object) =>
      client.request<Data>(document, { ...variables });
    return { mutate: send, query: send };
  },

  urql: (url, token) => {
    const client = new Client({
      url,
      preferGetMethod: false,
      exchanges: [cacheExchange, fetchExchange],
      fetchOptions: { headers: headersOf(token) },
    });
    const dataOf = <Data>({ data, error }: { data?: Data; error?: Error }) => {
      if (error) throw error;
      return required(data);
    };
    return {
      mutate: async <Data>(document: ReturnType<typeof gql>, variables: object) =>
        dataOf(await client.mutation<Data>(document, variables).toPromise()),
      query: async <Data>(document: ReturnType<typeof gql>, variables: object) =>
        dataOf(await client.query<Data>(document, variables).toPromise()),
    };
  },
};

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

describe.each(Object.entries(clients))('%s', (name, connect) => {
  test('logs in, creates a task and finds it in the list', async () => {
    const { email, password, id } = app.admin;
    const url = `${app.url}/graphql`;

    const { login: session } = await connect(url).mutate<Login>(login, { email, password });
    expect(session.user).toMatchObject({ id, email });

    const client = connect(url, session.accessToken);
    const input = { name: `Made with ${name}`, type: 'ANALYSIS' };
    const { createTask: created } = await client.mutate<CreateTask>(createTask, { input });
    expect(created.task).toMatchObject({ name: input.name, createdBy: { id } });

    const { tasks } = await client.query<ListTasks>(listTasks, { first: 100 });
    expect(tasks.edges[0]?.node).toMatchObject({ id: created.task.id, name: input.name });
    expect(tasks.pageInfo.hasNextPage).toBe(false);
  });

  test('shows a wrong password as an error with its code', async () => {
    const { email } = app.admin;
    const failing = connect(`${app.url}/graphql`).mutate<Login>(login, { email, password: 'not the password' });
    await expect(failing.catch(codesIn)).resolves.toContain('UNAUTHENTICATED');
  });
});

function headersOf(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function required<Data>(data: Data | undefined): Data {
  if (data === undefined) throw new Error('The answer has no data.');
  return data;
}

/** Each client wraps the errors of an answer in its own way; all of them keep the extensions somewhere. */
function codesIn(error: unknown): string[] {
  const text = JSON.stringify(error, (_key, value) => (value instanceof Error ? { ...value } : value));
  return [...text.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code ?? '');
}
