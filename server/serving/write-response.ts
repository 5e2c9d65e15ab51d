import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { APIResponse } from '../../api/client/transport.ts';
import { writableHeaders } from './headers.ts';

/** What HTTP/1.1 and HTTP/2 responses have in common. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/**
 * TLS encrypts all that it is given at once: what one connection takes in memory while its client is slow is bounded by
 * giving it no more than this.
 */
const sliceBytes = 64 * 1024;

/**
 * Writes a response and resolves when its last byte has been handed to the connection, or the client has gone. A stream
 * that fails half-way cuts the connection (HTTP/2: resets the stream), so that no client takes the part for the whole.
 */
export async function writeResponse(response: NodeResponse, answer: APIResponse, signal: AbortSignal): Promise<void> {
  const { body } = answer;
  if (signal.aborted) {
    if (body.kind === 'stream') await body.chunks[Symbol.asyncIterator]().return?.();
    return;
  }
  const headers = writableHeaders(answer.headers);
  if (body.kind === 'stream') {
    writeHead(response, answer.status, headers);
    if ('flushHeaders' in response) response.flushHeaders();
    await writeChunks(response, body.chunks, signal);
    return;
  }
  const mayHaveBody = answer.status >= 200 && answer.status !== 204 && answer.status !== 304;
  if (mayHaveBody) headers['content-length'] = String(body.kind === 'bytes' ? body.bytes.byteLength : 0);
  writeHead(response, answer.status, headers);
  if (body.kind !== 'bytes' || !mayHaveBody) response.end();
  else if (body.bytes.length <= sliceBytes) response.end(body.bytes);
  else await writeChunks(response, [body.bytes], signal);
}

function writeHead(response: NodeResponse, status: number, headers: Record<string, string | string[]>): void {
  (response as ServerResponse).writeHead(status, headers);
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

async function writeChunks(response: NodeResponse, chunks: Chunks, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += sliceBytes) {
        if (signal.aborted) return;
        const slice = chunk.length > sliceBytes ? chunk.subarray(at, at + sliceBytes) : chunk;
        if (!(response as ServerResponse).write(slice)) await drained(response, signal);
      }
    }
  } catch (error) {
    cut(response);
    if (!signal.aborted) throw error;
    return;
  }
  if (!signal.aborted) response.end();
}

async function drained(response: NodeResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(response, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function cut(response: NodeResponse): void {
  if ('stream' in response) response.stream?.close(2 /* INTERNAL_ERROR, RFC 9113 7 */);
  else response.destroy();
}
