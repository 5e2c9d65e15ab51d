import type { Logger } from '../../api/base/logger.ts';
import type { APIRequest, APIResponse, Transport } from '../../api/client/transport.ts';
import { requestEntityTooLarge, statusOf } from '../../api/meta/status-errors.ts';
import { requestHeaders } from './headers.ts';
import { maxBodyBytes, readBody } from './read-body.ts';
import { type NodeRequest, parseTarget, peerOf } from './request-adapter.ts';
import { statusResponse, textResponse } from './respond.ts';
import type { Turns } from './turns.ts';
import { type NodeResponse, writeResponse, type WritingDependencies } from './write-response.ts';

/** Requests that are passed on to a pod, service or node may carry more than the API itself reads. */
const maxProxiedBodyBytes = 32 * 1024 * 1024;
const proxied = /\/proxy(\/|$)/;

const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export interface RequestHandlingDependencies extends WritingDependencies {
  readonly transport: Transport;
  readonly logger: Logger;
  readonly turns: Turns;
}

/** Takes one HTTP request through the transport and writes the answer. Never throws. */
export async function handleRequest(
  dependencies: RequestHandlingDependencies,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const gone = new AbortController();
  let isWritten = false;
  response.once('close', () => {
    if (!isWritten) gone.abort(new Error('the client has gone'));
  });
  response.on('error', () => {});
  try {
    const answer = await answerTo(dependencies, request, gone.signal);
    if (answer) await writeResponse(dependencies, response, answer, gone.signal);
    isWritten = true;
  } catch (error) {
    if (gone.signal.aborted) return;
    dependencies.logger.error('request failed', { method: request.method, url: request.url, error });
    if (response.headersSent) response.destroy();
    else await writeResponse(dependencies, response, statusResponse(statusOf(error)), gone.signal);
  }
}

async function answerTo(
  { transport, turns }: RequestHandlingDependencies,
  request: NodeRequest,
  signal: AbortSignal,
): Promise<APIResponse | undefined> {
  const target = parseTarget(request.url ?? '');
  // As Go's HTTP server says of what it cannot read.
  if (!target) return textResponse(400, '400 Bad Request');
  const method = request.method ?? 'GET';
  const received = requestHeaders(request);
  const { headers } = received;
  const limit = proxied.test(target.path) ? maxProxiedBodyBytes : maxBodyBytes;
  const hasBody = !bodiless.has(method) || headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  const body = hasBody ? await readBody(request, headers['content-length'], limit) : undefined;
  if (body?.kind === 'gone') return undefined;
  if (body?.kind === 'too-large') return statusResponse(requestEntityTooLarge(`limit is ${limit}`).status);
  if (!body) request.resume();
  const apiRequest: APIRequest = {
    method,
    ...target,
    ...received,
    ...(body && body.bytes.byteLength > 0 ? { body: body.bytes } : {}),
    signal,
    peer: peerOf(request),
  };
  await turns.next();
  return transport(apiRequest);
}
