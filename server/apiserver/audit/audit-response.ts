import type { APIResponse } from '../../../api/client/transport.ts';
import { formatJSON } from '../../../api/base/format-json.ts';
import { type Status, StatusError } from '../../../api/meta/status.ts';
import type { AuditEvent } from './audit-event.ts';
import type { AuditDecision } from './audit-policy.ts';
import { isAtLeast, withoutManagedFields } from './audit-record.ts';
import { truncatedAnnotation } from './truncate-event.ts';

/** The largest answer that is taken up in an event. */
const maxTextBytes = 16 * 1024 * 1024;
/** The largest answer that is parsed for it, which takes some milliseconds: to leave managedFields out, or line feeds. */
const maxParsedBytes = 1024 * 1024;

export function noteFailure(event: AuditEvent, error: unknown, { level }: AuditDecision): void {
  if (!(error instanceof StatusError)) {
    event.responseStatus = { status: 'Failure', reason: 'InternalError', code: 500 };
    return;
  }
  event.responseStatus = statusFields(error.status);
  if (isAtLeast(level, 'RequestResponse')) event.responseObject = JSON.stringify(error.status);
}

/** Takes the answer of a request up in its event. A body that is streamed is not there yet: see copyBody. */
export function noteResponse(event: AuditEvent, { status: code, body, headers }: APIResponse, decision: AuditDecision): void {
  event.responseStatus = { code };
  if (body.kind !== 'bytes') return;
  const wantsObject = isAtLeast(decision.level, 'RequestResponse');
  const isStatus = isJSON(headers) && beginsAsStatus(body.bytes);
  if (!wantsObject && !isStatus) return;
  if (isJSON(headers) && !isStatus) return noteText(event, decode(body.bytes), decision);
  if (body.bytes.length > maxParsedBytes) return markTruncated(event);
  const object = body.object?.() ?? (isJSON(headers) ? (JSON.parse(decode(body.bytes) ?? '') as unknown) : undefined);
  if (typeof object !== 'object' || object === null) return;
  if ((object as Partial<Status>).kind === 'Status') event.responseStatus = { ...statusFields(object as Status), code };
  if (wantsObject) event.responseObject = formatJSON(decision.omitManagedFields ? withoutManagedFields(object) : object);
}

interface BodyCopy {
  readonly response: APIResponse;
  /** All of the body; undefined where it is too large, or was not read to its end. */
  text(): string | undefined;
}

/** Copies a streamed answer in JSON while it is read, where the event is to have it. */
export function copyBody(response: APIResponse, { level }: AuditDecision): BodyCopy | undefined {
  const { body, headers } = response;
  if (body.kind !== 'stream' || !isAtLeast(level, 'RequestResponse') || !isJSON(headers)) return undefined;
  let parts: Uint8Array[] | undefined = [];
  let length = 0;
  let isWhole = false;
  const take = (chunk: Uint8Array) => {
    length += chunk.length;
    if (length > maxTextBytes) parts = undefined;
    // The memory of a chunk may be used again.
    parts?.push(Buffer.from(chunk));
  };
  return {
    response: { ...response, body: { ...body, chunks: tapped(body.chunks, take, () => (isWhole = true)) } },
    text: () => (isWhole && parts ? decode(Buffer.concat(parts)) : undefined),
  };
}

/** Takes the JSON of an answer up in its event; undefined: it is not known whole. */
export function noteText(event: AuditEvent, given: string | undefined, { omitManagedFields }: AuditDecision): void {
  const text = given?.trim();
  if (text === undefined) return markTruncated(event);
  if (!omitManagedFields && !text.includes('\n')) {
    event.responseObject = text;
    return;
  }
  if (text.length > maxParsedBytes) return markTruncated(event);
  const object: unknown = JSON.parse(text);
  event.responseObject = formatJSON(omitManagedFields ? withoutManagedFields(object) : object);
}

function markTruncated({ annotations }: AuditEvent): void {
  annotations[truncatedAnnotation] = 'true';
}

/** Undefined for a text that is too large. */
function decode(bytes: Uint8Array): string | undefined {
  return bytes.length > maxTextBytes ? undefined : new TextDecoder().decode(bytes);
}

function isJSON(headers: APIResponse['headers']): boolean {
  return (headers['content-type'] ?? '').startsWith('application/json');
}

const statusBeginning = Buffer.from('"Status"');

/** Whether a body may be a Status, by its first bytes. */
function beginsAsStatus(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64)).includes(statusBeginning);
}

/** Passes iteration through, with the chunks that the consumer gives back. */
function tapped(source: AsyncIterable<Uint8Array>, take: (chunk: Uint8Array) => void, end: () => void): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
      const iterator = source[Symbol.asyncIterator]();
      return {
        async next(...value: [] | [unknown]) {
          const result = await iterator.next(...value);
          if (result.done) end();
          else take(result.value);
          return result;
        },
        async return(value?: unknown) {
          await iterator.return?.(value);
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function statusFields({ status, message, reason, details, code }: Status): NonNullable<AuditEvent['responseStatus']> {
  return {
    status,
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}
