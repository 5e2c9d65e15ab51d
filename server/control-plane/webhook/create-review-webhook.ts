import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../api/base/clock.ts';
import { quote } from '../../../api/base/quote.ts';
import { createHTTPTransport, type HTTPTransport } from '../../../api/client/http-transport.ts';
import { concatBytes } from '../../../api/client/read-body.ts';
import type { APIResponse, ResponseBody } from '../../../api/client/transport.ts';
import { type PostOptions, type ReviewWebhook, WebhookError } from '../../apiserver/webhooks/review-webhook.ts';
import { type FileContent, readFiles } from '../../files/follow-files.ts';
import { parseWebhookKubeconfig, type Piece, type WebhookAccess } from './webhook-access.ts';

export interface ClosableReviewWebhook extends ReviewWebhook {
  /** Ends its connections; calls under way fail. */
  close(): void;
}

const maxAnswerBytes = 1024 * 1024;
/** Certificates, keys and tokens in files are read again after this time, when the next call is made. */
const rereadMs = 60_000;

/** A webhook that a kubeconfig describes: reviews are posted to its server's URL. Rejects where the file cannot be used. */
export async function createReviewWebhook(kubeconfigFile: string, { clock }: { readonly clock: Clock }): Promise<ClosableReviewWebhook> {
  const access = parseWebhookKubeconfig(await readFile(kubeconfigFile), kubeconfigFile);
  const connection = await createConnection(access, clock);
  const url = new URL(access.server);
  const post = async (review: object, options: PostOptions): Promise<unknown> => {
    const query = `timeout=${formatSeconds(options.timeoutMs)}`;
    const target = `${url.origin}${url.pathname}?${query}`;
    const limit = new AbortController();
    const timer = clock.setTimer(options.timeoutMs, () => limit.abort(new Error('context deadline exceeded')), { background: true });
    const onAbort = () => limit.abort(options.signal.reason);
    options.signal.addEventListener('abort', onAbort, { once: true });
    try {
      options.signal.throwIfAborted();
      const { transport, headers } = await connection.current();
      const body = Buffer.from(JSON.stringify(review));
      const sent = transport.transport({
        ...{ method: 'POST', path: url.pathname === '/' ? '/' : '', query, body, signal: limit.signal },
        headers: { ...headers, 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kubets' },
      });
      const answer = await untilAborted(sent, limit.signal);
      return await readAnswer(answer, limit.signal);
    } catch (error) {
      throw interpret(error, target, limit.signal.aborted && !options.signal.aborted);
    } finally {
      timer.cancel();
      options.signal.removeEventListener('abort', onAbort);
    }
  };
  return { post, close: () => connection.close() };
}

interface Connection {
  current(): Promise<{ readonly transport: HTTPTransport; readonly headers: Readonly<Record<string, string>> }>;
  close(): void;
}

async function createConnection(access: WebhookAccess, clock: Clock): Promise<Connection> {
  const pieces = [access.ca, access.certificate, access.key, access.token];
  const files = pieces.flatMap((piece) => (piece && 'file' in piece ? [piece.file] : []));
  let contents = await readFiles(files);
  let readAtMs = clock.monotonicMs();
  let made = connect(access, findPiece(files, contents), clock);
  const reread = async () => {
    readAtMs = clock.monotonicMs();
    const now = await readFiles(files);
    if (now.every((content, index) => Buffer.compare(content ?? new Uint8Array(0), contents[index] ?? new Uint8Array(0)) === 0)) return;
    const before = made.transport;
    made = connect(access, findPiece(files, now), clock);
    contents = now;
    // Calls under way finish on their connections, each within its own time.
    clock.setTimer(rereadMs, () => before.close(), { background: true });
  };
  return {
    async current() {
      // Files that cannot be read at the moment: what they held before may still be good.
      if (files.length > 0 && clock.monotonicMs() - readAtMs >= rereadMs) await reread().catch(() => undefined);
      return made;
    },
    close: () => made.transport.close(),
  };
}

type FindPiece = (piece: Piece) => Uint8Array | undefined;

function findPiece(files: readonly string[], contents: readonly FileContent[]): FindPiece {
  return (piece) => {
    if (piece === undefined || 'inline' in piece) return piece?.inline;
    const content = contents[files.indexOf(piece.file)];
    if (content === undefined) throw new Error(`open ${piece.file}: no such file or directory`);
    return content;
  };
}

function connect(access: WebhookAccess, find: FindPiece, clock: Clock) {
  const { server, serverName, insecureSkipTLSVerify, basicAuth } = access;
  const [ca, certificate, key, token] = [find(access.ca), find(access.certificate), find(access.key), find(access.token)];
  const bearer = token === undefined ? undefined : Buffer.from(token).toString().trim();
  const transport = createHTTPTransport({
    ...{ server, insecureSkipTLSVerify, clock },
    ...(serverName === undefined ? {} : { serverName }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(bearer === undefined ? {} : { token: () => bearer }),
  });
  const basic =
    basicAuth && bearer === undefined ? Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64') : undefined;
  return { transport, headers: basic === undefined ? {} : { authorization: `Basic ${basic}` } };
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

async function readAnswer({ status, headers, body }: APIResponse, signal: AbortSignal): Promise<unknown> {
  const bytes = await readBounded(body, signal);
  if (status < 200 || status > 299) throw describeFailure(status, headers, bytes);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (error) {
    throw new WebhookError(`couldn't get version/kind; json parse error: ${describe(error)}`, { statusCode: status, cause: error });
  }
}

async function readBounded(body: ResponseBody, signal: AbortSignal): Promise<Uint8Array> {
  if (body.kind !== 'stream') return body.kind === 'bytes' ? body.bytes : new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const iterator = body.chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await untilAborted(iterator.next(), signal);
      if (done === true) return concatBytes(chunks);
      size += value.length;
      if (size > maxAnswerBytes) throw new WebhookError(`Response body was larger than ${maxAnswerBytes} bytes`);
      chunks.push(value);
    }
  } catch (error) {
    // Not awaited: a stream that hangs would not let go.
    void iterator.return?.()?.catch(() => undefined);
    throw error;
  }
}

/** A Status of the webhook says itself what is wrong. */
function describeFailure(statusCode: number, headers: Readonly<Record<string, string>>, bytes: Uint8Array): WebhookError {
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

function findStatus(bytes: Uint8Array): { readonly message?: string; readonly reason?: string } | undefined {
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

const resets = new Set(['ECONNRESET', 'EPIPE', 'ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_SESSION_ERROR', 'ERR_HTTP2_GOAWAY_SESSION']);

function interpret(error: unknown, target: string, isTimeout: boolean): WebhookError {
  if (error instanceof WebhookError) return error;
  const { code = '' } = (error ?? {}) as { code?: string };
  const isLost = resets.has(code) || describe(error) === 'the connection was closed before the answer';
  const reason = code === 'ECONNREFUSED' ? 'connect: connection refused' : describe(error);
  return new WebhookError(`Post ${JSON.stringify(target)}: ${reason}`, { isTimeout, isRetriable: isLost && !isTimeout, cause: error });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A duration of seconds as Go writes it, e.g. 3s, 1.5s, 1m30s. */
function formatSeconds(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${minutes === 0 ? '' : `${minutes}m`}${(ms % 60_000) / 1000}s`;
}
