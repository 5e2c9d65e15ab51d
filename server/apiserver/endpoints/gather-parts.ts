/** Parts are joined up to this size. */
const joinedBytes = 64 * 1024;

/**
 * Joins small parts, so that one write does for many of them. A large part is passed on as the bytes it is, so that a thousand
 * clients that read it hold no copies; only its beginning is copied, to go with what stands before it.
 */
export function* gatherParts(parts: Iterable<Uint8Array>, chunkBytes: number): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  let size = 0;
  const take = (): Uint8Array => {
    const [first] = small;
    const chunk = first && small.length === 1 ? first : Buffer.concat(small, size);
    small = [];
    size = 0;
    return chunk;
  };
  for (const part of parts) {
    if (size > 0 && size + part.length > chunkBytes && part.length <= joinedBytes) yield take();
    if (part.length <= joinedBytes) {
      small.push(part);
      size += part.length;
      continue;
    }
    const copied = size === 0 ? 0 : Math.max(0, joinedBytes - size);
    if (copied > 0) {
      small.push(part.subarray(0, copied));
      size += copied;
    }
    if (size > 0) yield take();
    yield part.subarray(copied);
  }
  if (size > 0) yield take();
}
