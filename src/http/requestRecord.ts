import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'winston';
import { ownIdOf } from '../auth/principal.ts';
import { logRequest, type RequestEvent } from '../log.ts';
import { newRequestNotes, type RequestNotes } from '../requestNotes.ts';
import type { ClientAddress } from './clientAddress.ts';
import { refusalCode } from './refusal.ts';

/** nginx's number for a client that left before it had its answer. */
const clientClosedRequest = 499;

/** Hears of each request that has ended, with what its event says of it. */
export type OnRequestEnd = (event: RequestEvent, notes: RequestNotes) => void;

/** What a record is made with. */
export type RecordParts = { log: Logger; clientAddress: ClientAddress; onRequestEnd: OnRequestEnd };

/** What becomes the one event of a request. */
export class RequestRecord {
  readonly ip: string;
  readonly notes: RequestNotes = newRequestNotes();
  #rawStatus: number | undefined;
  /** When its head had been read, as performance.now() counts. */
  readonly receivedAt = performance.now();
  readonly #log: Logger;
  readonly #onEnd: OnRequestEnd;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #isRunning = false;
  #isClosed = false;

  constructor({ log, clientAddress, onRequestEnd }: RecordParts, request: FastifyRequest, reply: FastifyReply) {
    this.#log = log;
    this.#onEnd = onRequestEnd;
    this.#request = request;
    this.#reply = reply;
    this.ip = clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']);
    this.notes.isOfForeignPage = request.headers['sec-fetch-site'] === 'cross-site';
    // The answer is out, or the client is gone: Node says this once, whatever happened.
    reply.raw.once('close', () => {
      this.#isClosed = true;
      if (!this.#isRunning) this.#write();
    });
  }

  /** Does the work; where the client leaves meanwhile, the event waits for what the work has to say. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#isRunning = true;
    try {
      return await work();
    } finally {
      this.#isRunning = false;
      if (this.#isClosed) this.#write();
    }
  }

  get requestId(): string {
    return this.#request.id;
  }

  /** Whether the answer is not complete yet. */
  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Whether a part of the answer has been sent, and not all of it. */
  get isAnswering(): boolean {
    return this.isOpen && this.#reply.raw.headersSent;
  }

  /** Says that the answer is a refusal that GraphQL knows nothing of. */
  refuse(status: number, code = refusalCode(status)): void {
    this.notes.codes = [code];
  }

  /** Says the same of an answer that goes past Fastify, straight to the socket. */
  refuseRaw(status: number): void {
    this.refuse(status);
    this.#rawStatus = status;
  }

  #write(): void {
    const { operationName, operationType, codes, shadowLimits, caller } = this.notes;
    const { id, method, url, headers } = this.#request;
    const response = this.#reply.raw;
    const event: RequestEvent = {
      requestId: id,
      method,
      path: url.split('?', 1)[0] ?? null,
      status: this.#rawStatus ?? (response.writableFinished ? response.statusCode : clientClosedRequest),
      durationMs: Math.round((performance.now() - this.receivedAt) * 100) / 100,
      ip: this.ip,
      userAgent: headers['user-agent'] ?? null,
      operationName,
      operationType,
      codes,
      ...(shadowLimits.length > 0 && { shadowLimits }),
      callerKind: caller === null ? 'ANONYMOUS' : caller.agentId === null ? 'USER' : 'AGENT',
      callerId: ownIdOf(caller),
      credentialId: caller && (caller.apiKeyId ?? caller.sessionId),
      ...(caller?.secretEndsAt && { isReplacedSecret: true as const }),
      bytes: Number(this.#reply.getHeader('content-length') ?? 0),
    };
    logRequest(this.#log, event);
    this.#onEnd(event, this.notes);
  }
}
