/** What a request is sent with: nothing, a Bearer credential, or a session cookie. */
export type Credential = { bearer: string } | { cookie: string } | null;

export type Answer = {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  data: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  errors: { message: string; path?: (string | number)[]; extensions: any }[] | undefined;
  text: string;
};

/** Sends one operation to a Nexus at `url`. */
export function send(
  url: string,
  query: string,
  variables: object = {},
  credential: Credential = null,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return sendBody(url, { query, variables }, credential, headers);
}

/** Sends a body as it is to a Nexus at `url`. */
export async function sendBody(
  url: string,
  body: object,
  credential: Credential = null,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headersOf(credential), ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const { data, errors } = text.startsWith('{') ? JSON.parse(text) : { data: undefined, errors: undefined };
  return { status: response.status, headers: response.headers, data, errors, text };
}

function headersOf(credential: Credential): Record<string, string> {
  if (!credential) return {};
  return 'bearer' in credential ? { authorization: `Bearer ${credential.bearer}` } : { cookie: credential.cookie };
}
