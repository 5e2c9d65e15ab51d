import { createHash } from 'node:crypto';

/**
 * The part of the ruleset that follows Services is a flat collection of entries, each a key with a value: chains (value: the
 * rules, one a line), sets (value: what they hold) and elements of sets and maps (value: what stands behind the key, empty
 * in sets). Desired and actual state are then two maps, and a change is their difference.
 */
export type Entries = Map<EntryKey, string>;

/** `chain\t<name>`, `set\t<name>` or `element\t<container>\t<key>`. */
export type EntryKey = string;

/** A key taken apart. `name` of an element is its key in the container. */
export interface EntryName {
  readonly kind: 'chain' | 'set' | 'element';
  readonly container: string;
  readonly name: string;
}

export function chainKey(name: string): EntryKey {
  return `chain\t${name}`;
}

export function setKey(name: string): EntryKey {
  return `set\t${name}`;
}

export function elementKey(container: string, key: string): EntryKey {
  return `element\t${container}\t${key}`;
}

export function parseEntryKey(key: EntryKey): EntryName {
  const [kind = '', first = '', second = ''] = key.split('\t');
  if (kind === 'element') return { kind, container: first, name: second };
  if (kind === 'chain' || kind === 'set') return { kind, container: '', name: first };
  throw new TypeError(`no entry key: ${key}`);
}

/**
 * The part of a value that can be read back from the kernel and compared. Rules are read back in another spelling than they were written
 * in, so a chain's first rule has a digest of all of them in its comment; a set never changes under one name.
 */
export function observableValue(key: EntryKey, value: string): string {
  if (key.startsWith('chain\t')) return chainDigest(value);
  return key.startsWith('set\t') ? '' : value;
}

/** Digest of a chain's rules and their number. */
export function chainDigest(rules: string): string {
  const digest = createHash('sha256').update(rules).digest('base64url').slice(0, 16);
  return `${digest}/${rules.split('\n').length}`;
}
