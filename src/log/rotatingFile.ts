import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';

const maxFileBytes = 10 * 1024 * 1024;
const maxFiles = 10;
const maxWaitingCharacters = 8 * 1024 * 1024;
const retryDelayMs = 5_000;

/**
 * A log file of at most 10 MiB: a full one becomes `name1.ext`, the older ones move up, and ten are kept. winston's own
 * costs 15 µs a line and loses lines where it rotates. A write never waits for the disk and never throws: where the
 * file cannot be written, `onFailure` hears of the first of the failures in a row, it is tried again every 5 s, and what
 * waits meanwhile is bounded; the rest is lost.
 */
export class RotatingFile {
  readonly #file: string;
  readonly #onFailure: (error: unknown) => void;
  #waiting = '';
  #work: Promise<void> | null = null;
  #handle: FileHandle | null = null;
  #size = 0;
  #failedAt: number | null = null;

  constructor(file: string, onFailure: (error: unknown) => void) {
    this.#file = file;
    this.#onFailure = onFailure;
  }

  /** Takes whole lines. */
  write(lines: string): void {
    if (this.#waiting.length + lines.length > maxWaitingCharacters) return;
    this.#waiting += lines;
    if (this.#failedAt !== null && performance.now() - this.#failedAt < retryDelayMs) return;
    this.#work ??= this.#writeWaiting();
  }

  /** Writes what still waits, and closes the file; never rejects. */
  async end(): Promise<void> {
    await this.#work;
    await this.#writeWaiting();
    await this.#close().catch(this.#onFailure);
  }

  async #writeWaiting(): Promise<void> {
    try {
      while (this.#waiting !== '') {
        const lines = Buffer.from(this.#waiting);
        this.#waiting = '';
        const handle = await this.#openFor(lines.length);
        await handle.appendFile(lines);
        this.#size += lines.length;
      }
      this.#failedAt = null;
    } catch (error) {
      if (this.#failedAt === null) this.#onFailure(error);
      this.#failedAt = performance.now();
    } finally {
      this.#work = null;
    }
  }

  async #openFor(bytes: number): Promise<FileHandle> {
    this.#handle ??= await this.#open();
    if (this.#size === 0 || this.#size + bytes <= maxFileBytes) return this.#handle;
    await this.#close();
    await this.#moveUp();
    this.#handle = await this.#open();
    return this.#handle;
  }

  async #open(): Promise<FileHandle> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    const handle = await open(this.#file, 'a', 0o600);
    this.#size = (await handle.stat()).size;
    return handle;
  }

  async #moveUp(): Promise<void> {
    for (let index = maxFiles - 2; index >= 0; index--) {
      await rename(this.#name(index), this.#name(index + 1)).catch(ignoreMissing);
    }
  }

  #name(index: number): string {
    const { dir, name, ext } = path.parse(this.#file);
    return index === 0 ? this.#file : path.join(dir, `${name}${index}${ext}`);
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
