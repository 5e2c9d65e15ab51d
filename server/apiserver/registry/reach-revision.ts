import { timeout } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { type Storage, StorageError } from '../../storage/storage.ts';
import type { WatchCache } from '../../storage/watch-cache/watch-cache.ts';
import { readTimeoutMs } from './registry-dependencies.ts';

/** Waits until the cache is at a revision, or at the store's newest (KEP-2340). Throws 504 where it does not get there. */
export async function reachRevision(cache: WatchCache, revision: number | 'newest', signal: AbortSignal): Promise<void> {
  try {
    await cache.reach(revision, { timeoutMs: readTimeoutMs, signal });
  } catch (error) {
    if (!(error instanceof StorageError) || error.reason !== 'timeout') throw error;
    throw revision === 'newest' ? timeout(error.message, 1) : tooLargeResourceVersion(revision, error.revision ?? 0);
  }
}

/**
 * Waits until the cache is at the store's newest revision. Resolves with that revision where the cache does not get there in
 * time, as when its watch of the store is broken.
 */
export async function reachNewest(
  cache: WatchCache,
  storage: Storage,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    await cache.reach('newest', { timeoutMs, signal });
    return undefined;
  } catch (error) {
    if (!(error instanceof StorageError) || error.reason !== 'timeout') throw error;
    const revision = await storage.currentRevision();
    return revision > cache.revision() ? revision : undefined;
  }
}

/** 504 for a resourceVersion that is not reached yet. Clients recognize it by its cause and try again. */
function tooLargeResourceVersion(requested: number, current: number): StatusError {
  const { status } = timeout(`Too large resource version: ${requested}, current: ${current}`, 1);
  const cause = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' };
  return new StatusError({ ...status, details: { causes: [cause], ...status.details } });
}
