import sanitizeHtml from 'sanitize-html';

const options: sanitizeHtml.IOptions = {
  allowedTags: ['b', 'i', 'em', 'strong', 'a'],
  allowedAttributes: { a: ['href'] },
  allowedSchemes: ['http', 'https'],
  // sanitize-html lets relative addresses pass.
  transformTags: { a: (tagName, { href }) => ({ tagName, attribs: toWebAddress(href) }) },
};

/** The HTML with nothing left but b, i, em, strong and a, and of their attributes only absolute http(s) addresses. */
export function sanitizeDescription(html: string): string {
  return sanitizeHtml(html, options);
}

function toWebAddress(href = ''): { href: string } | Record<string, never> {
  const url = URL.parse(href);
  return url && ['http:', 'https:'].includes(url.protocol) ? { href: url.href } : {};
}
