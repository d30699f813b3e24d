import { hash, verify } from '@node-rs/argon2';
import pLimit from 'p-limit';
import { OverloadedError } from '../errors.ts';

/** The longest password in characters (code points): more would only cost time. */
export const maxPasswordLength = 200;

/** argon2id, which is the package's default, at the first of OWASP's recommended costs (Password Storage Cheat Sheet). */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

/** Of 32 random bytes that nobody kept, at the same cost: an unknown user takes as long as a wrong password. */
const dummyHash = '$argon2id$v=19$m=19456,t=2,p=1$SIr6dAkKXBMXWqPJoHXvNA$bd5EoMmBiqiCYASQtacDQbGBgARmD2a0xjI6xgHeoPY';

/** As many as a small machine has cores; libuv's other two threads are left to files and names. */
const maxHashesAtOnce = 2;
/** What waits longest waits for about a second; for more, an early 503 is better than a late answer. */
const maxHashesWaiting = 64;

// One for the process, because the cores are the process's.
const queue = pLimit(maxHashesAtOnce);

/** The PHC string of a password of at most 200 characters; hashed off the event loop, in turn (OverloadedError). */
export async function hashPassword(password: string): Promise<string> {
  if (isTooLong(password)) throw new RangeError(`A password has at most ${maxPasswordLength} characters.`);
  return inTurn(() => hash(prepare(password), cost));
}

/**
 * Whether it is the password of this PHC string. Hashes exactly once whatever it is given, also where `storedHash` is
 * null and where the password is too long to be anybody's: both are false and take the time of a wrong password. OverloadedError
 * where too many are waiting for their turn.
 */
export async function verifyPassword(storedHash: string | null, password: string): Promise<boolean> {
  const canBeRight = storedHash !== null && !isTooLong(password);
  const hashed = isTooLong(password) ? '' : prepare(password);
  const isRight = await inTurn(() => verify(storedHash ?? dummyHash, hashed));
  return canBeRight && isRight;
}

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (queue.pendingCount >= maxHashesWaiting) return Promise.reject(new OverloadedError());
  return queue(work);
}

/** Keyboards write the same character in several ways (NIST SP 800-63B, 5.1.1.2). */
function prepare(password: string): string {
  return password.normalize('NFKC');
}

function isTooLong(password: string): boolean {
  // A code point has at most two units, so a text of megabytes is never taken apart.
  return password.length > 2 * maxPasswordLength || [...password].length > maxPasswordLength;
}
