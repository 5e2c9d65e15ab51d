import type { ResponseBody } from './transport.ts';

/** The whole body as bytes; empty if there is none. Only for bodies that end. */
export async function readBody(body: ResponseBody): Promise<Uint8Array> {
  if (body.kind === 'none') return new Uint8Array(0);
  if (body.kind === 'bytes') return body.bytes;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return concatBytes(chunks);
}

export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
