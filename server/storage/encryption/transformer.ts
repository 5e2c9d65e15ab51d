/** The result of decrypting a stored value. */
interface Decrypted {
  readonly value: Uint8Array;
  /** Whether it was written by an older key or provider: the next write of the object writes it anew. */
  readonly isStale: boolean;
}

/** A method of encoding stored values. Errors are thrown or rejected with. */
export interface Transformer {
  /** The prefix of stored values of this kind, before the output of `encrypt`. Empty: values as they are. */
  readonly prefix: string;
  /** `key` is the object's place in the store; it is authenticated where the algorithm can, so that values cannot be swapped. */
  encrypt(value: Uint8Array, key: string): Uint8Array | Promise<Uint8Array>;
  decrypt(stored: Uint8Array, key: string): Decrypted | Promise<Decrypted>;
}

/** Every value that a provider but `identity` has written begins so. */
const encryptedPrefix = 'k8s:enc:';

function hasPrefix(bytes: Uint8Array, prefix: string): boolean {
  if (bytes.length < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (bytes[at] !== prefix.charCodeAt(at)) return false;
  return true;
}

/** Stores values unencrypted. Refuses to read an encrypted value: its key is missing from the configuration. */
export const identityTransformer: Transformer = {
  prefix: '',
  encrypt: (value) => value,
  decrypt(stored) {
    if (hasPrefix(stored, encryptedPrefix)) throw new Error('identity transformer tried to read encrypted data');
    return { value: stored, isStale: false };
  },
};

/** Writes with the first transformer and reads what any of them wrote. */
export function chooseByPrefix(transformers: readonly Transformer[]): Omit<Transformer, 'prefix'> {
  const [first] = transformers;
  if (first === undefined) throw new TypeError('there is no provider');
  return {
    async encrypt(value, key) {
      const encrypted = await first.encrypt(value, key);
      return first.prefix === '' ? encrypted : Buffer.concat([Buffer.from(first.prefix), encrypted]);
    },
    async decrypt(stored, key) {
      let failure: unknown = new Error('no matching prefix found');
      for (const transformer of transformers) {
        if (!hasPrefix(stored, transformer.prefix)) continue;
        // Identity reads values that no other transformer reads.
        if (transformer.prefix === '' && hasPrefix(stored, encryptedPrefix)) continue;
        try {
          const { value, isStale } = await transformer.decrypt(stored.subarray(transformer.prefix.length), key);
          return { value, isStale: isStale || transformer !== first };
        } catch (error) {
          failure = error; // two keys may have one name
        }
      }
      throw failure;
    },
  };
}
