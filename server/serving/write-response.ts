import type { ServerResponse } from 'node:http';
import type { APIResponse } from '../../api/client/transport.ts';
import { createBodyWriter, type NodeResponse, type WritingDependencies } from './body-writer.ts';
import { writableHeaders } from './headers.ts';

/** A body up to this size is written at once. */
const smallBytes = 64 * 1024;

/**
 * Writes a response and resolves when its last byte was passed to the connection, or the client has gone. If a stream fails, or a client
 * keeps the answer waiting for too long, the connection is cut (HTTP/2: the stream is reset), so that no client takes the part for the
 * whole.
 */
export async function writeResponse(
  dependencies: WritingDependencies,
  response: NodeResponse,
  answer: APIResponse,
  signal: AbortSignal,
): Promise<void> {
  const { body } = answer;
  if (signal.aborted) {
    if (body.kind === 'stream') await body.chunks[Symbol.asyncIterator]().return?.();
    return;
  }
  const headers = writableHeaders(answer.headers);
  if (body.kind === 'stream') {
    writeHead(response, answer.status, headers);
    if ('flushHeaders' in response) response.flushHeaders();
    await writeChunks(dependencies, response, answer, body.chunks, signal);
    return;
  }
  const mayHaveBody = answer.status >= 200 && answer.status !== 204 && answer.status !== 304;
  if (mayHaveBody) headers['content-length'] = String(body.kind === 'bytes' ? body.bytes.byteLength + (body.end?.byteLength ?? 0) : 0);
  writeHead(response, answer.status, headers);
  if (body.kind !== 'bytes' || !mayHaveBody) response.end();
  else if (body.bytes.length <= smallBytes && body.end === undefined) response.end(body.bytes);
  else await writeChunks(dependencies, response, answer, [body.bytes, ...(body.end ? [body.end] : [])], signal);
}

function writeHead(response: NodeResponse, status: number, headers: Record<string, string | string[]>): void {
  (response as ServerResponse).writeHead(status, headers);
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

async function writeChunks(
  dependencies: WritingDependencies,
  response: NodeResponse,
  { patience }: APIResponse,
  chunks: Chunks,
  signal: AbortSignal,
): Promise<void> {
  const iterator = iteratorOf(chunks);
  const end = async () => void (await iterator.return?.());
  const writer = createBodyWriter(dependencies, response, patience, signal);
  try {
    let done: Uint8Array | undefined;
    for (let next = await iterator.next(); next.done !== true; next = await (done ? iterator.next(done) : iterator.next())) {
      const waiting = writer.write(next.value);
      const outcome = waiting === undefined ? 'written' : await waiting;
      if (outcome === 'gone') return await end();
      if (outcome === 'late') {
        cut(response);
        return await end();
      }
      done = outcome === 'taken' ? next.value : undefined;
    }
  } catch (error) {
    cut(response);
    if (!signal.aborted) throw error;
    return;
  } finally {
    writer.release();
  }
  if (!signal.aborted) response.end();
}

function iteratorOf(chunks: Chunks): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  return Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
}

function cut(response: NodeResponse): void {
  if ('stream' in response) response.stream?.close(2 /* INTERNAL_ERROR, RFC 9113 7 */);
  else response.destroy();
}
