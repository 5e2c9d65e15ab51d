import { readFrameHead } from './websocket-frames.ts';

/**
 * Cuts a server's side of a WebSocket (RFC 6455, 5.2) so that no chunk holds bytes of two frames. A long frame passes in the
 * pieces it comes in; only an incomplete frame header (at most 13 bytes) is held back until the rest of it arrives.
 */
export async function* splitWebSocketFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let header = new Uint8Array(0);
  let payloadLeft = 0;
  for await (const chunk of chunks) {
    let bytes = header.length === 0 ? chunk : concat(header, chunk);
    header = new Uint8Array(0);
    while (bytes.length > 0) {
      if (payloadLeft === 0) {
        const head = readFrameHead(bytes);
        if (head === undefined) {
          header = bytes.slice();
          break;
        }
        payloadLeft = head.headLength + head.payloadLength;
      }
      const piece = bytes.subarray(0, payloadLeft);
      payloadLeft -= piece.length;
      bytes = bytes.subarray(piece.length);
      yield piece;
    }
  }
  if (header.length > 0) yield header;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
