import { randomBytes } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import type { Transformer } from './transformer.ts';

const nonceBytes = 24;
const tagBytes = 16;

/** XSalsa20 and Poly1305, as NaCl's secretbox: nonce, tag, ciphertext. The key has 32 bytes. */
export function secretbox(prefix: string, key: Uint8Array): Transformer {
  return {
    prefix,
    encrypt(value) {
      const nonce = randomBytes(nonceBytes);
      return Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(value)]);
    },
    decrypt(stored) {
      if (stored.length < nonceBytes + tagBytes) throw new Error('the stored data was shorter than the required size');
      // A Buffer of the pool may lie where the library's words of 32 bits cannot.
      const [nonce, sealed] = [Uint8Array.from(stored.subarray(0, nonceBytes)), Uint8Array.from(stored.subarray(nonceBytes))];
      return { value: Buffer.from(xsalsa20poly1305(key, nonce).decrypt(sealed)), isStale: false };
    },
  };
}
