import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { APIRequest, APIResponse } from '../../api/client/transport.ts';
import { statusOf } from '../../api/meta/status-errors.ts';
import { endConnection } from './end-connection.ts';
import type { RequestHandlingDependencies } from './handle-request.ts';
import { requestHeaders, writableHeaders } from './headers.ts';
import { http } from './node-http.ts';
import { namesSeveralHosts, parseTarget, peerOf } from './request-adapter.ts';
import { statusResponse, textResponse } from './respond.ts';
import { createSocketChannel } from './socket-channel.ts';
import { writeResponse } from './write-response.ts';

/**
 * Takes a request that asks to switch protocols (HTTP/1.1 `Upgrade`) through the transport. The answer either switches
 * and takes the connection over, or is an ordinary response after which the connection is closed: whatever else the
 * client may have sent on it is never read as a request.
 */
export async function handleUpgrade(
  dependencies: RequestHandlingDependencies,
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => {});
  socket.once('close', () => gone.abort(new Error('the client has gone')));
  let answer: APIResponse;
  try {
    answer = await answerTo(dependencies, request, gone.signal);
  } catch (error) {
    if (!gone.signal.aborted) dependencies.logger.error('upgrade failed', { method: request.method, url: request.url, error });
    answer = statusResponse(statusOf(error));
  }
  if (socket.destroyed) {
    if (answer.body.kind === 'stream') await answer.body.chunks[Symbol.asyncIterator]().return?.();
    if (!answer.upgrade) return;
  }
  if (answer.status === 101 && answer.upgrade) {
    socket.write(formatSwitch(answer.headers));
    answer.upgrade(createSocketChannel(socket, head));
    return;
  }
  await refuse(dependencies, request, socket, answer, gone.signal).catch((error: unknown) => {
    if (!gone.signal.aborted) dependencies.logger.error('answer to an upgrade failed', { url: request.url, error });
    socket.destroy();
  });
}

function answerTo({ transport }: RequestHandlingDependencies, request: IncomingMessage, signal: AbortSignal): Promise<APIResponse> {
  const target = parseTarget(request.url ?? '');
  if (!target || namesSeveralHosts(request)) return Promise.resolve(textResponse(400, '400 Bad Request'));
  const apiRequest: APIRequest = {
    method: request.method ?? 'GET',
    ...target,
    ...requestHeaders(request),
    signal,
    peer: peerOf(request),
    canUpgrade: true,
  };
  return transport(apiRequest);
}

async function refuse(
  dependencies: RequestHandlingDependencies,
  request: IncomingMessage,
  socket: Duplex,
  answer: APIResponse,
  signal: AbortSignal,
): Promise<void> {
  const response = new http.ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
  response.on('finish', () => endConnection(socket));
  await writeResponse(dependencies, response, answer, signal);
}

function formatSwitch(headers: Readonly<Record<string, string>>): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade'];
  if (headers['upgrade'] !== undefined) lines.push(`Upgrade: ${headers['upgrade'].replace(/[^\x21-\x7e ]/g, '')}`);
  for (const [name, value] of Object.entries(writableHeaders(headers))) {
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
