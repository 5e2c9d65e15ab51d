import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../api/base/clock.ts';
import { createHTTPTransport, type HTTPTransport } from '../../../api/client/http-transport.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { type PostOptions, type ReviewWebhook, WebhookError } from '../../apiserver/webhooks/review-webhook.ts';
import { describeFailure, formatSeconds, readBounded, untilAborted } from '../../apiserver/webhooks/webhook-answer.ts';
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
    // Running calls finish on their connections, within their own time limits.
    clock.setTimer(rereadMs, () => before.close(), { background: true });
  };
  return {
    async current() {
      // Files may be unreadable for a moment, and their previous contents may still be good.
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

async function readAnswer({ status, headers, body }: APIResponse, signal: AbortSignal): Promise<unknown> {
  const bytes = await readBounded(body, maxAnswerBytes, signal);
  if (status < 200 || status > 299) throw describeFailure(status, headers, bytes);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (error) {
    throw new WebhookError(`couldn't get version/kind; json parse error: ${describe(error)}`, { statusCode: status, cause: error });
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
