import { type Clock, sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import { findOrphans, type Suspects } from './orphans.ts';
import type { ContainerRuntime } from './runtime.ts';

/** Something that a machine has for each sandbox besides what the runtime tells of. */
export interface SandboxPart {
  /** For the log: `addresses`, ... */
  readonly what: string;
  /** Ids of the sandboxes that have it. */
  list(): Promise<readonly string[]>;
  remove(sandboxID: string): Promise<void>;
}

export interface RemoveOrphansDependencies {
  readonly runtime: ContainerRuntime;
  readonly parts: readonly SandboxPart[];
  readonly creations: SandboxCreations;
  readonly clock: Clock;
  readonly logger: Logger;
}

const intervalMs = 30_000;
/** While something is suspected. */
const suspiciousMs = 10_000;

/**
 * Removes, until the signal is aborted, what is left of sandboxes that the runtime does not know: where it was killed while
 * it made one, or its caller was, it does not always clear away what it had done so far.
 */
export async function keepOrphansAway(dependencies: RemoveOrphansDependencies, signal: AbortSignal): Promise<void> {
  const { parts, clock, logger } = dependencies;
  const suspects = new Map<SandboxPart, Suspects>();
  while (!signal.aborted) {
    for (const part of parts) {
      try {
        suspects.set(part, await removeOrphans(part, suspects.get(part) ?? new Map(), dependencies));
      } catch (error) {
        logger.warn('what is left of sandboxes that are no more cannot be removed', { what: part.what, error });
      }
    }
    const isSuspicious = [...suspects.values()].some(({ size }) => size > 0);
    await sleep(clock, isSuspicious ? suspiciousMs : intervalMs, signal).catch(() => undefined); // aborted
  }
}

async function removeOrphans(part: SandboxPart, before: Suspects, dependencies: RemoveOrphansDependencies): Promise<Suspects> {
  const { runtime, creations, clock, logger } = dependencies;
  const oldestCreationMs = creations.oldestMs();
  const present = await part.list();
  const known = new Set((await runtime.listPodSandboxes()).map(({ id }) => id));
  const { orphans, suspects } = findOrphans({ present, known, suspects: before, nowMs: clock.monotonicMs(), oldestCreationMs });
  for (const id of orphans) {
    await part.remove(id);
    logger.info('removed what was left of a sandbox', { sandbox: id, what: part.what });
  }
  return suspects;
}

/** Which sandboxes are being made. */
export interface SandboxCreations {
  /** Monotonic milliseconds; undefined: none is. */
  oldestMs(): number | undefined;
}

/** A runtime that notes which sandboxes are being made. */
export function noteCreations(
  runtime: ContainerRuntime,
  clock: Clock,
): { readonly runtime: ContainerRuntime; readonly creations: SandboxCreations } {
  const begun = new Set<{ readonly atMs: number }>();
  const runPodSandbox: ContainerRuntime['runPodSandbox'] = async (...request) => {
    const creation = { atMs: clock.monotonicMs() };
    begun.add(creation);
    try {
      return await runtime.runPodSandbox(...request);
    } finally {
      begun.delete(creation);
    }
  };
  // Sets keep the order in which they were filled.
  const oldestMs = () => begun.values().next().value?.atMs;
  return { runtime: { ...runtime, runPodSandbox }, creations: { oldestMs } };
}
