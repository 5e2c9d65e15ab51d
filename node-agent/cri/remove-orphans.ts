import { type Clock, sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import { isCRINotFound } from './cri-error.ts';
import { findOrphans, type Suspects } from './orphans.ts';
import type { ContainerRuntime } from './runtime.ts';

/** A part that a machine has for each sandbox besides those that the runtime lists. */
export interface SandboxPart {
  /** For the log: `addresses`, ... */
  readonly what: string;
  /** Ids of the sandboxes, or of containers of them, that have it. */
  list(): Promise<readonly string[]>;
  /**
   * The evidence of the machine against removing it, `known` being the ids of all sandboxes and containers that the runtime
   * lists. Undefined: nothing does.
   */
  objection?(id: string, known: ReadonlySet<string>): Promise<string | undefined>;
  remove(id: string): Promise<void>;
}

interface RemoveOrphansDependencies {
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
 * Removes, until the signal is aborted, the parts of sandboxes that the runtime does not know: where it was killed while
 * it made one, or its caller was, it does not always clear away what it had done so far. Nothing is removed on the strength
 * of one list: the runtime is asked again, by id, and the machine is looked at, right before.
 */
export async function keepOrphansAway(dependencies: RemoveOrphansDependencies, signal: AbortSignal): Promise<void> {
  const { parts, clock, logger } = dependencies;
  const suspects = new Map<SandboxPart, Suspects>();
  const said = new Map<SandboxPart, string>();
  const spare = createSparing(logger);
  while (!signal.aborted) {
    for (const part of parts) {
      try {
        suspects.set(part, await removeOrphans(part, suspects.get(part) ?? new Map(), dependencies, spare));
        said.delete(part);
      } catch (error) {
        const text = String(error);
        if (said.get(part) !== text) logger.warn('orphans of sandboxes cannot be removed', { what: part.what, error });
        said.set(part, text);
      }
    }
    const isSuspicious = [...suspects.values()].some(({ size }) => size > 0);
    await sleep(clock, isSuspicious ? suspiciousMs : intervalMs, signal).catch(() => undefined); // aborted
  }
}

async function removeOrphans(
  part: SandboxPart,
  before: Suspects,
  { runtime, creations, clock, logger }: RemoveOrphansDependencies,
  spare: Sparing,
): Promise<Suspects> {
  const oldestCreationMs = creations.oldestMs();
  const present = await part.list();
  const known = await listKnown(runtime);
  const { orphans, suspects } = findOrphans({ present, known, suspects: before, nowMs: clock.monotonicMs(), oldestCreationMs });
  for (const id of orphans) {
    const reason = await reasonToSpare(part, id, runtime);
    if (reason === undefined) {
      const sinceMs = before.get(id) ?? clock.monotonicMs();
      await part.remove(id);
      const message = 'removed by force what no sandbox and no container of the runtime has';
      logger.warn(message, { id, what: part.what, unknownForMs: Math.round(clock.monotonicMs() - sinceMs) });
    } else spare(part, id, reason);
  }
  return suspects;
}

/** Containers too: containerd may have made a shim for one of them alone. */
async function listKnown(runtime: ContainerRuntime): Promise<ReadonlySet<string>> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
  return new Set([...sandboxes, ...containers].map(({ id }) => id));
}

/** The reason why a suspected orphan is left alone; undefined: it is one. Rejects if the runtime does not answer. */
async function reasonToSpare(part: SandboxPart, id: string, runtime: ContainerRuntime): Promise<string | undefined> {
  if (!(await part.list()).includes(id)) return 'it has gone by itself';
  if (await isKnown(runtime.podSandboxStatus(id))) return 'the runtime knows the sandbox, which it did not list';
  if (await isKnown(runtime.containerStatus(id))) return 'the runtime knows the container, which it did not list';
  const known = await listKnown(runtime);
  if (known.has(id)) return 'the runtime lists it now';
  return part.objection?.(id, known);
}

async function isKnown(asking: Promise<unknown>): Promise<boolean> {
  try {
    await asking;
    return true;
  } catch (error) {
    if (isCRINotFound(error)) return false;
    throw error;
  }
}

type Sparing = (part: SandboxPart, id: string, reason: string) => void;

const maxSpared = 1000;

/** Logs once for each that it is left alone. */
function createSparing(logger: Logger): Sparing {
  const said = new Set<string>();
  return ({ what }, id, reason) => {
    const key = `${what} ${id} ${reason}`;
    if (said.has(key) || said.size >= maxSpared) return;
    said.add(key);
    logger.warn('an orphan of a sandbox is left alone', { id, what, reason });
  };
}

/** The sandboxes that are being created. */
interface SandboxCreations {
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
