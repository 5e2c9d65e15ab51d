import type { Logger } from '../../api/base/logger.ts';
import type { APIRequest, APIResponse, Transport } from '../../api/client/transport.ts';
import { statusOf } from '../../api/meta/status-errors.ts';
import { requestHeaders } from './headers.ts';
import type { BodyMemory } from './body-memory.ts';
import { createIncomingBody } from './incoming-body.ts';
import { namesSeveralHosts, type NodeRequest, parseTarget, peerOf } from './request-adapter.ts';
import { statusResponse, textResponse } from './respond.ts';
import type { Turns } from './turns.ts';
import { writeResponse } from './write-response.ts';
import type { NodeResponse, WritingDependencies } from './body-writer.ts';

export interface RequestHandlingDependencies extends WritingDependencies {
  readonly transport: Transport;
  readonly logger: Logger;
  readonly turns: Turns;
  readonly bodyMemory: BodyMemory;
}

/** Passes an HTTP request through the transport and writes the answer. Never throws. */
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
  { transport, turns, bodyMemory, clock }: RequestHandlingDependencies,
  request: NodeRequest,
  signal: AbortSignal,
): Promise<APIResponse | undefined> {
  const target = parseTarget(request.url ?? '');
  // Go's HTTP server answers this to a request that it cannot read.
  if (!target || namesSeveralHosts(request)) return textResponse(400, '400 Bad Request');
  const method = request.method ?? 'GET';
  const received = requestHeaders(request);
  const { headers } = received;
  const incoming = hasBody(request)
    ? createIncomingBody(request, { declaredLength: headers['content-length'], memory: bodyMemory, clock })
    : undefined;
  if (!incoming) request.resume();
  const apiRequest: APIRequest = {
    method,
    ...target,
    ...received,
    ...(incoming ? { incoming } : {}),
    signal,
    peer: peerOf(request),
  };
  await turns.next();
  try {
    return await transport(apiRequest);
  } finally {
    incoming?.release();
  }
}

/** Whether anything may follow the head. */
function hasBody(request: NodeRequest): boolean {
  if ('stream' in request) return !request.stream.endAfterHeaders;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || Number(length ?? 0) > 0;
}
