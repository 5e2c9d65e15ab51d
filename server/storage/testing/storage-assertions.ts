import assert from 'node:assert/strict';
import type { CommitResult, Storage, StoredEntry } from '../storage.ts';
import { StorageError } from '../storage.ts';

/** Writes and returns the revision. */
export async function put(storage: Storage, key: string, value: string, onlyIfModRevision?: number): Promise<number> {
  const conditions = onlyIfModRevision === undefined ? [] : [{ key, modRevision: onlyIfModRevision }];
  return succeeded(await storage.commit({ conditions, operations: [{ type: 'put', key, value: bytes(value) }] }));
}

export function succeeded(result: CommitResult): number {
  assert.ok(result.succeeded, 'the commit met a conflict');
  return result.revision;
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function readable(entry: StoredEntry | undefined) {
  return entry && { ...entry, value: Buffer.from(entry.value).toString() };
}

export async function rejectsWith(reason: StorageError['reason'], action: () => Promise<unknown>): Promise<StorageError> {
  let caught: unknown;
  await action().catch((error: unknown) => {
    caught = error;
  });
  assert.ok(caught instanceof StorageError, `expected StorageError '${reason}', got ${caught}`);
  assert.equal(caught.reason, reason);
  return caught;
}
