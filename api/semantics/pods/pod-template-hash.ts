import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { PodTemplateSpec } from '../../types/core-v1.ts';

/** No vowels and no look-alikes: names made of these are never words. */
const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Replaces every character of `text` by a character that is safe in names; equal characters have equal replacements. */
export function safeEncode(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => safeAlphabet[byte % safeAlphabet.length]).join('');
}

/** 32-bit FNV-1a (RFC 9923) of the UTF-8 bytes. */
export function fnv32a(bytes: Uint8Array, start = 0x811c9dc5): number {
  let hash = start;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** JSON with the fields of every object in one order. */
function canonicalJSON(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * The suffix of the names of objects that a controller makes from this template (ReplicaSets, ControllerRevisions). Equal templates get
 * equal hashes; a collision is resolved by counting up `collisionCount`.
 */
export function podTemplateHash(template: DeepReadonly<PodTemplateSpec>, collisionCount?: number): string {
  return hashOf(template, collisionCount);
}

/** The hash that podTemplateHash makes, of any JSON. */
function hashOf(value: unknown, collisionCount?: number): string {
  let hash = fnv32a(new TextEncoder().encode(canonicalJSON(value)));
  if (collisionCount !== undefined) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, collisionCount, true);
    hash = fnv32a(bytes, hash);
  }
  return safeEncode(String(hash));
}
