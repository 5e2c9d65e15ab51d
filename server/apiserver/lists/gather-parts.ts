/** Larger parts are not joined with others. */
const joinedBytes = 64 * 1024;

/** The joined parts of a list; the reader passes to `next` the chunk it got last, if it is done with it. */
type GatheredParts = Generator<Uint8Array, void, Uint8Array | undefined>;

/**
 * Joins small parts, so that one write does for many of them. A large part is passed on as the bytes it is, so that a thousand
 * clients that read it hold no copies; only its beginning is copied, to go with what stands before it.
 *
 * The memory of a chunk whose reader is done with it serves for the next one: a list of a hundred megabytes is read through
 * a quarter of one.
 */
export function* gatherParts(parts: Iterable<Uint8Array>, chunkBytes: number): GatheredParts {
  let small: Uint8Array[] = [];
  let size = 0;
  /** The memory of a chunk that was joined here and that no reader uses any more. */
  let memory: Uint8Array | undefined;
  const take = (): { readonly chunk: Uint8Array; readonly own?: Uint8Array } => {
    const [parts, bytes, [first]] = [small, size, small];
    small = [];
    size = 0;
    if (first && parts.length === 1) return { chunk: first };
    const isReused = memory !== undefined && memory.length >= bytes;
    const own = isReused && memory ? memory : Buffer.allocUnsafeSlow(bytes > chunkBytes / 2 ? Math.max(chunkBytes, bytes) : bytes);
    memory = undefined;
    return { chunk: joinInto(own, parts, bytes), own };
  };
  for (const part of parts) {
    if (size > 0 && size + part.length > chunkBytes && part.length <= joinedBytes) {
      const { chunk, own } = take();
      if ((yield chunk) === chunk) memory = own;
    }
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
    if (size > 0) {
      const { chunk, own } = take();
      if ((yield chunk) === chunk) memory = own;
    }
    yield part.subarray(copied);
  }
  if (size > 0) yield take().chunk;
}

function joinInto(memory: Uint8Array, parts: readonly Uint8Array[], size: number): Uint8Array {
  let at = 0;
  for (const part of parts) {
    memory.set(part, at);
    at += part.length;
  }
  return memory.subarray(0, size);
}
