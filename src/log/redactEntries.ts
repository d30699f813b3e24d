import { describeError } from './describeError.ts';
import { redactText } from './redactText.ts';

const maxDepth = 6;
const maxEntries = 100;
/** Over the whole value: depth and width alone allow 100^6. */
const maxNodes = 2_000;
const redacted = '[REDACTED]';
const omitted = '[OMITTED]';

const secretAnywhere = /passw(?:or)?d|passphrase|secret|authorization|cookie|credential|apikey|privatekey|masterkey/i;
const secretAtEnd = /(?:tokens?|hash(?:es)?|pwd|jwt|sid|signature)$/i;
/** What tells secrets apart without being one. */
const harmlessAtEnd = /(?:Ids?|At|Kind|Count|Bytes|Type|_ids?|_at|_kind|_count|_bytes|_type)$/;

/** Whether what stands under this name is not for a log. */
export function isSecretName(name: string): boolean {
  const bare = name.replace(/[-_]/g, '');
  return secretAtEnd.test(bare) || (secretAnywhere.test(bare) && !harmlessAtEnd.test(name));
}

/**
 * A copy of the object, fit for a log and for JSON: without what has a secret's name or format, with errors described
 * instead of copied, and bounded in depth and width, so that a cycle ends too.
 */
export function redactEntries(entries: object): Record<string, unknown> {
  return copyEntries(entries, 0, { left: maxNodes });
}

function copy(value: unknown, depth: number, nodes: { left: number }): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : copyObject(value, depth, nodes);
    case 'function':
    case 'symbol':
      return undefined;
    default:
      return value;
  }
}

function copyObject(value: object, depth: number, nodes: { left: number }): unknown {
  nodes.left--;
  if (depth >= maxDepth || nodes.left < 0) return omitted;
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (value instanceof Map || value instanceof Set) return copy([...value], depth, nodes);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((item) => copy(item, depth + 1, nodes));
  return copyEntries(value, depth, nodes);
}

function copyEntries(value: object, depth: number, nodes: { left: number }): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(value).slice(0, maxEntries)) {
    const item: unknown = Reflect.get(value, name);
    const isSecret = isSecretName(name) && item !== null && typeof item !== 'boolean';
    Object.defineProperty(result, redactText(name), {
      value: isSecret ? redacted : copy(item, depth + 1, nodes),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}
