const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether what answers at this URL is whom it names: https, or http on this machine. */
export function isProtectedUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));
}

/** Whether this can be an issuer: such a URL without user, query and fragment (OpenID Connect Discovery 1.0, 3). */
export function isIssuerUrl(text: string): boolean {
  return isProtectedUrl(text) && !/[?#\s]/.test(text) && new URL(text).username + new URL(text).password === '';
}
