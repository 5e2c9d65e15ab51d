import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { Filter } from '../request/request-context.ts';
import { isLongRunning } from './long-running.ts';

/** Smaller bodies cost more to compress than to send; upstream's numbers. */
const thresholdBytes = 128 * 1024;
const level = 1;

const compress = promisify(gzip);

/** gzip for large answers to clients that take it; never for streams that must arrive bit by bit. */
export const compression: Filter = (next) => async (context) => {
  const response = await next(context);
  if (!acceptsGzip(context.request.headers['accept-encoding']) || isLongRunning(context.info)) return response;
  // The other server has seen the same header and decided.
  if (context.isDelegated || response.status === 101 || response.headers['content-encoding'] !== undefined) return response;
  const { body } = response;
  if (body.kind === 'bytes')
    return body.bytes.byteLength > thresholdBytes
      ? compressed(response, {
          kind: 'bytes',
          bytes: await compress(body.end ? Buffer.concat([body.bytes, body.end]) : body.bytes, { level }),
        })
      : response;
  if (body.kind !== 'stream' || body.events) return response;
  return compressStream(response, body.chunks);
};

/** Whether gzip is accepted, judged as upstream does, without weights: `gzip;q=0` is not asked for either. */
function acceptsGzip(header: string | undefined): boolean {
  return header !== undefined && header.split(',').some((part) => part.trim() === 'gzip');
}

function compressed(response: APIResponse, body: APIResponse['body']): APIResponse {
  const { 'content-length': _length, vary, ...headers } = response.headers;
  return {
    ...response,
    headers: { ...headers, 'content-encoding': 'gzip', vary: withAcceptEncoding(vary) },
    body,
  };
}

function withAcceptEncoding(vary: string | undefined): string {
  if (vary === undefined) return 'Accept-Encoding';
  return vary.includes('Accept-Encoding') ? vary : `${vary}, Accept-Encoding`;
}

/** Buffers the beginning first: a list that turns out to be small is sent uncompressed. */
async function compressStream(response: APIResponse, chunks: AsyncIterable<Uint8Array>): Promise<APIResponse> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let size = 0;
  let isComplete = false;
  while (size <= thresholdBytes && !isComplete) {
    const { value, done } = await iterator.next();
    if (done) isComplete = true;
    else {
      first.push(value);
      size += value.byteLength;
    }
  }
  const rest = replay(first, isComplete ? undefined : iterator);
  if (size <= thresholdBytes) return { ...response, body: { kind: 'stream', chunks: rest } };
  return compressed(response, { kind: 'stream', chunks: gzipChunks(rest) });
}

async function* replay(first: readonly Uint8Array[], rest: AsyncIterator<Uint8Array> | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    for (let next = await rest?.next(); next && !next.done; next = await rest?.next()) yield next.value;
  } finally {
    await rest?.return?.();
  }
}

async function* gzipChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGzip({ level });
  // A failed source destroys the stream, and a reader that stops destroys the source.
  pipeline(chunks, stream, () => {});
  for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
}
