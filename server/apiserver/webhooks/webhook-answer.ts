import { quote } from '../../../api/base/quote.ts';
import { concatBytes } from '../../../api/client/read-body.ts';
import type { ResponseBody } from '../../../api/client/transport.ts';
import { WebhookError } from './review-webhook.ts';

/** The promise's result, or a rejection with the signal's reason as soon as it is aborted. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Bytes of large answers that may be held at once, for all that share the budget. */
export class AnswerBudget {
  #free: number;
  constructor(bytes: number) {
    this.#free = bytes;
  }
  /** Whether the bytes are taken; they are to be given back. */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }
  giveBack(bytes: number): void {
    this.#free += bytes;
  }
}

/** Answers up to this size need no budget. */
const smallAnswerBytes = 256 * 1024;

/** The whole body. Rejects where it is larger than that, or than the budget has left, or with the signal's reason. */
export async function readBounded(body: ResponseBody, maxBytes: number, signal: AbortSignal, budget?: AnswerBudget): Promise<Uint8Array> {
  if (body.kind !== 'stream') return body.kind === 'bytes' ? body.bytes : new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  let taken = 0;
  const iterator = body.chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await untilAborted(iterator.next(), signal);
      if (done === true) return concatBytes(chunks);
      size += value.length;
      if (size > maxBytes) throw new WebhookError(`Response body was larger than ${maxBytes} bytes`);
      if (size > smallAnswerBytes && budget) {
        if (!budget.take(value.length)) throw new WebhookError('too many large responses of webhooks are being read');
        taken += value.length;
      }
      chunks.push(value);
    }
  } catch (error) {
    // Not awaited: a stream that hangs would not let go.
    void iterator.return?.()?.catch(() => undefined);
    throw error;
  } finally {
    budget?.giveBack(taken);
  }
}

/** A Status from the webhook contains its own message. */
export function describeFailure(statusCode: number, headers: Readonly<Record<string, string>>, bytes: Uint8Array): WebhookError {
  const status = findStatus(bytes);
  const seconds = Number(headers['retry-after']);
  const retryAfterMs = headers['retry-after'] !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  const isTimeout = statusCode === 504 || status?.reason === 'Timeout';
  const isRetriable = isTimeout || retryAfterMs !== undefined || statusCode === 500 || statusCode === 429;
  const message = status?.message ?? describeAnswer(statusCode, headers['content-type'] ?? '', bytes);
  return new WebhookError(message, { statusCode, isTimeout, isRetriable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** Messages of upstream's clients for answers by their codes alone. */
const failures: ReadonlyMap<number, string> = new Map([
  [400, 'the server rejected our request for an unknown reason'],
  [401, 'the server has asked for the client to provide credentials'],
  [404, 'the server could not find the requested resource'],
  [405, 'the server does not allow this method on the requested resource'],
  [406, 'the server was unable to respond with a content type that the client supports'],
  [409, 'the server reported a conflict'],
  [415, 'the body of the request was in an unknown format'],
  [422, 'the server rejected our request due to an error in our request'],
  [429, 'the server has received too many requests and has asked us to try again later'],
  [503, 'the server is currently unable to handle the request'],
  [504, 'the server was unable to return a response in the time allotted, but may still be processing the request'],
]);
const maxShownLength = 1000;

function describeAnswer(statusCode: number, contentType: string, bytes: Uint8Array): string {
  const known = failures.get(statusCode);
  if (known !== undefined) return known;
  const isText = contentType === '' || contentType.startsWith('text/');
  const said = isText ? new TextDecoder().decode(bytes.subarray(0, maxShownLength)).trim() : 'unknown';
  if (statusCode === 403) return said;
  if (statusCode >= 500) return `an error on the server (${quote(said)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${statusCode} but did not return more information`;
}

const maxStatusBytes = 64 * 1024;

function findStatus(bytes: Uint8Array): { readonly message?: string; readonly reason?: string } | undefined {
  if (bytes.length > maxStatusBytes) return undefined;
  try {
    const { kind, message, reason } = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
    if (kind !== 'Status') return undefined;
    return {
      ...(typeof message === 'string' && message !== '' ? { message } : {}),
      ...(typeof reason === 'string' ? { reason } : {}),
    };
  } catch {
    return undefined;
  }
}

/** A duration of seconds as Go writes it, e.g. 3s, 1.5s, 1m30s. */
export function formatSeconds(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${minutes === 0 ? '' : `${minutes}m`}${(ms % 60_000) / 1000}s`;
}
