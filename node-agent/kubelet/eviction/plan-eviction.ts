import { amountOf, type NodePressure, pressureOf, type Signal, signals, type Threshold } from './thresholds.ts';

/** How much of something there is and is left. */
export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

export type Observations = ReadonlyMap<Signal, Observation>;

/** State that is kept between two looks. */
export interface PressureHistory {
  /** The time since which each threshold is exceeded. */
  readonly passedSinceMs: ReadonlyMap<Threshold, number>;
  /** When each condition held last. */
  readonly lastSeenMs: ReadonlyMap<NodePressure, number>;
}

export const calm: PressureHistory = { passedSinceMs: new Map(), lastSeenMs: new Map() };

interface PressurePlan {
  readonly history: PressureHistory;
  readonly pressures: ReadonlySet<NodePressure>;
  /** The threshold to act upon now: the first in order that has been passed for its time. */
  readonly due: { readonly threshold: Threshold; readonly observation: Observation } | undefined;
}

/** Evaluates the thresholds for an observation. */
export function planPressure(
  thresholds: readonly Threshold[],
  observations: Observations,
  { passedSinceMs, lastSeenMs }: PressureHistory,
  { nowMs, transitionMs }: { readonly nowMs: number; readonly transitionMs: number },
): PressurePlan {
  const passed = new Map<Threshold, number>();
  for (const threshold of thresholds) {
    const observation = observations.get(threshold.signal);
    if (!observation) continue;
    const { available, capacity } = observation;
    const limit = amountOf(threshold.value, capacity);
    const since = passedSinceMs.get(threshold);
    // Once it was passed, more has to be free than that for it to be over.
    const reclaim = since !== undefined && threshold.minReclaim ? amountOf(threshold.minReclaim, capacity) : 0;
    if (available < limit + reclaim) passed.set(threshold, since ?? nowMs);
  }
  const due = [...passed.keys()].filter((threshold) => nowMs - (passed.get(threshold) ?? nowMs) >= threshold.graceMs);
  const seen = new Map(lastSeenMs);
  for (const { signal } of due) seen.set(pressureOf[signal], nowMs);
  const pressures = new Set([...seen].filter(([, atMs]) => nowMs - atMs < transitionMs || atMs === nowMs).map(([pressure]) => pressure));
  const [first] = due.sort((a, b) => signals.indexOf(a.signal) - signals.indexOf(b.signal) || a.graceMs - b.graceMs);
  const observation = first && observations.get(first.signal);
  return {
    history: { passedSinceMs: passed, lastSeenMs: seen },
    pressures,
    due: first && observation ? { threshold: first, observation } : undefined,
  };
}
