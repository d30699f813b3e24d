import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { logRequest, type RequestEvent } from '../log.ts';
import { newRequestNotes } from '../requestNotes.ts';
import { refusalBody, refusalCode } from './refusal.ts';
import type { RecordParts, RequestRecord } from './requestRecord.ts';

const statusByCode: Record<string, number> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

/** What answers, straight to the socket, what Node's HTTP parser gives to nobody. */
export type UnreadableHandler = {
  /** Says which request a connection is at. */
  watch(socket: Socket, record: RequestRecord): void;
  onClientError(error: NodeJS.ErrnoException, socket: Socket): void;
  onConnect(request: IncomingMessage, socket: Duplex): void;
};

/**
 * What cannot be read as HTTP, takes too long or wants a tunnel gets a JSON answer and one event in the log: that of the
 * request whose body did not come, or one of its own. Then the connection ends.
 */
export function createUnreadableHandler(parts: RecordParts, headers: Record<string, string>): UnreadableHandler {
  const records = new WeakMap<Socket, RequestRecord>();

  const refuse = (socket: Socket, status: number, record: RequestRecord | undefined) => {
    const requestId = record?.requestId ?? randomUUID();
    if (record) record.refuseRaw(status);
    else logUnreadable(parts, requestId, status, socket);
    socket.write(rawAnswer(status, requestId, headers));
    socket.destroySoon();
  };

  return {
    watch: (socket, record) => {
      records.set(socket, record);
    },
    onClientError: (error, socket) => {
      const record = records.get(socket);
      const status = statusOf(error);
      // Without a byte there is no request: a browser's spare connection, or a probe. Half an answer cannot be mended.
      const isMoot = status === null || socket.destroyed || socket.bytesRead === 0 || record?.isAnswering;
      if (isMoot) socket.destroy();
      else refuse(socket, status, record?.isOpen ? record : undefined);
    },
    onConnect: (_request, socket) => {
      if (socket instanceof Socket) refuse(socket, 405, undefined);
    },
  };
}

/** Null where there is no request to answer: a connection that was reset, or whose TLS failed. */
function statusOf({ code = '' }: NodeJS.ErrnoException): number | null {
  return statusByCode[code] ?? (code.startsWith('HPE_') ? 400 : null);
}

function rawAnswer(status: number, requestId: string, headers: Record<string, string>): string {
  const body = refusalBody(status, requestId);
  const fields = {
    ...headers,
    'x-request-id': requestId,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`;
}

function logUnreadable(
  { log, clientAddress, onRequestEnd }: RecordParts,
  requestId: string,
  status: number,
  { remoteAddress }: Socket,
): void {
  const event: RequestEvent = {
    requestId,
    method: null,
    path: null,
    status,
    durationMs: 0,
    ip: clientAddress(remoteAddress, undefined),
    userAgent: null,
    operationName: null,
    operationType: null,
    codes: [refusalCode(status)],
    callerKind: 'ANONYMOUS',
    callerId: null,
    credentialId: null,
    bytes: 0,
  };
  logRequest(log, event);
  onRequestEnd(event, newRequestNotes());
}
