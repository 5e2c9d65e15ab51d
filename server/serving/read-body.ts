import type { Readable } from 'node:stream';

/** 3 MiB, as upstream: the largest body of a request that is not passed on to someone else. */
export const maxBodyBytes = 3 * 1024 * 1024;

/** How much of a body that is too large is still read, so that the client gets to see the answer. */
const maxDiscardedBytes = 16 * 1024 * 1024;

export type BodyResult = { readonly kind: 'body'; readonly bytes: Uint8Array } | { readonly kind: 'too-large' } | { readonly kind: 'gone' };

/** Reads a request's whole body. Resolves, never rejects: a client that went away is an answer too. */
export function readBody(request: Readable, declaredLength: string | undefined, limit: number): Promise<BodyResult> {
  if (declaredLength !== undefined && Number(declaredLength) > limit) {
    discard(request);
    return Promise.resolve({ kind: 'too-large' });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (result: BodyResult) => {
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      request.on('error', () => {});
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      finish({ kind: 'too-large' });
      discard(request);
    };
    const onEnd = () => finish({ kind: 'body', bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size) });
    const onGone = () => finish({ kind: 'gone' });
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

function discard(request: Readable): void {
  let discarded = 0;
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > maxDiscardedBytes) request.destroy();
  });
}
