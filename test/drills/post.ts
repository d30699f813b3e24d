import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { Credential } from '../support/send.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

// biome-ignore lint/suspicious/noExplicitAny: answers have every shape.
type Data = any;

/** The code of the first error, `OK` where there is none. */
export type Answer = { code: string; message?: string; data: Data; headers: IncomingHttpHeaders };

/** Sends one operation over a connection that is kept; fetch would cost the measured servers their processor. */
export function post(
  url: string,
  credential: Credential,
  query: string,
  variables: object = {},
  more: Record<string, string> = {},
): Promise<Answer> {
  const body = JSON.stringify({ query, variables });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(credential && ('bearer' in credential ? { authorization: `Bearer ${credential.bearer}` } : credential)),
    ...more,
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        try {
          const { data, errors } = JSON.parse(text);
          const { headers } = response;
          const [error] = errors ?? [];
          resolve(
            error
              ? { code: error.extensions.code, message: error.message, data, headers }
              : { code: 'OK', data, headers },
          );
        } catch (cause) {
          reject(new Error(`Not an answer: ${response.statusCode} ${text}`, { cause }));
        }
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The data of an answer without errors. */
export async function succeed(
  url: string,
  credential: Credential,
  query: string,
  variables: object = {},
): Promise<Data> {
  const answer = await post(url, credential, query, variables);
  if (answer.code !== 'OK') throw new Error(`${query} ${JSON.stringify(variables)}: ${JSON.stringify(answer)}`);
  return answer.data;
}

/** Lets go of the connections. */
export function hangUp(): void {
  agent.destroy();
}
