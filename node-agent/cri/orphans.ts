/** Parts that belonged to no sandbox and no container when they were looked for, by id: since when, in monotonic milliseconds. */
export type Suspects = ReadonlyMap<string, number>;

interface OrphanSearch {
  /** Ids of sandboxes or containers of which there is something: a process, addresses. */
  readonly present: Iterable<string>;
  /** Ids of all sandboxes and containers that the runtime lists; listed after `present`. */
  readonly known: ReadonlySet<string>;
  readonly suspects: Suspects;
  readonly nowMs: number;
  /** When the oldest of the calls began that are making a sandbox now; undefined: none is being made. */
  readonly oldestCreationMs: number | undefined;
}

/** Calls of an agent that was killed are cut off, and end by then. */
const patienceMs = 20_000;

/**
 * Finds parts without a sandbox. A sandbox is listed only when it is complete, so such parts are first suspected, and count as orphans when
 * they still have no sandbox after a while and every sandbox in the making was begun later.
 */
export function findOrphans(search: OrphanSearch): { readonly orphans: string[]; readonly suspects: Suspects } {
  const { present, known, nowMs, oldestCreationMs = nowMs } = search;
  const suspects = new Map<string, number>();
  const orphans: string[] = [];
  for (const id of new Set(present)) {
    if (known.has(id)) continue;
    const sinceMs = search.suspects.get(id) ?? nowMs;
    if (nowMs - sinceMs >= patienceMs && oldestCreationMs > sinceMs) orphans.push(id);
    else suspects.set(id, sinceMs);
  }
  return { orphans, suspects };
}
