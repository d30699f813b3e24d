/** The servers under test log every request to standard output; vitest's own reports take another way. */
process.stdout.write = (_chunk: unknown, encoding?: unknown, done?: unknown): boolean => {
  const callback = typeof encoding === 'function' ? encoding : done;
  if (typeof callback === 'function') callback();
  return true;
};
