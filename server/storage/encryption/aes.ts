import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Transformer } from './transformer.ts';

const nonceBytes = 12;
const tagBytes = 16;
const blockBytes = 16;

type GCMName = 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm';

/** AES in Galois/Counter mode: nonce, ciphertext, tag; the object's place is authenticated. Keys of 16, 24 or 32 bytes. */
export function aesGCM(prefix: string, key: Uint8Array): Transformer {
  const name = `aes-${key.length * 8}-gcm` as GCMName;
  return {
    prefix,
    encrypt(value, place) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(name, key, nonce).setAAD(Buffer.from(place));
      return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt(stored, place) {
      if (stored.length < nonceBytes + tagBytes) throw new Error('the stored data was shorter than the required size');
      const decipher = createDecipheriv(name, key, stored.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(place)).setAuthTag(stored.subarray(-tagBytes));
      const value = Buffer.concat([decipher.update(stored.subarray(nonceBytes, -tagBytes)), decipher.final()]);
      return { value, isStale: false };
    },
  };
}

/** AES in cipher block chaining mode with PKCS #7 padding: initialization vector, ciphertext. Nothing is authenticated. */
export function aesCBC(prefix: string, key: Uint8Array): Transformer {
  const name = `aes-${key.length * 8}-cbc`;
  return {
    prefix,
    encrypt(value) {
      const vector = randomBytes(blockBytes);
      const cipher = createCipheriv(name, key, vector);
      return Buffer.concat([vector, cipher.update(value), cipher.final()]);
    },
    decrypt(stored) {
      if (stored.length < 2 * blockBytes) throw new Error('the stored data was shorter than the required size');
      const decipher = createDecipheriv(name, key, stored.subarray(0, blockBytes));
      return { value: Buffer.concat([decipher.update(stored.subarray(blockBytes)), decipher.final()]), isStale: false };
    },
  };
}

export const seedBytes = 32;
const infoBytes = 32;

/**
 * AES-GCM with a separate key for every value, derived from a seed (KEP-3299): the value is stored with 32 random bytes, and the key is
 * HKDF-Expand(seed, those bytes). So a seed may be used for any number of values.
 */
export function derivedGCM(seed: Uint8Array): Omit<Transformer, 'prefix'> {
  // The first block of HKDF-Expand with SHA-256 (RFC 5869) is as long as the key.
  const keyFor = (info: Uint8Array) => createHmac('sha256', seed).update(info).update(Uint8Array.of(1)).digest();
  return {
    async encrypt(value, place) {
      const info = randomBytes(infoBytes);
      return Buffer.concat([info, await aesGCM('', keyFor(info)).encrypt(value, place)]);
    },
    decrypt(stored, place) {
      if (stored.length < infoBytes) throw new Error('the stored data was shorter than the required size');
      return aesGCM('', keyFor(stored.subarray(0, infoBytes))).decrypt(stored.subarray(infoBytes), place);
    },
  };
}
