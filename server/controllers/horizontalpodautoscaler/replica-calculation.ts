import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { findPodCondition } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

/** The measured value of one Pod. */
export interface Reading {
  /** In thousandths of the metric's unit. */
  readonly value: number;
  /** When the window ended, milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly windowMs: number;
}

/** By the Pod's name. */
export type Readings = ReadonlyMap<string, Reading>;

/** How far usage may be off before anything is done, as parts of the target. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** A number of replicas, or why there is none. */
export type Calculation =
  | { readonly replicas: number; readonly average: number; readonly utilization?: number }
  | { readonly problem: string };

/** How a set of Pods compares with the target: 1 is on target. */
interface Measured {
  readonly ratio: number;
  readonly average: number;
  readonly utilization?: number;
}

export interface UsageInput {
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly readings: Readings;
  readonly currentReplicas: number;
  /** Processor time is not to be trusted while a Pod starts. */
  readonly isCPU: boolean;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

const cpuInitializationMs = 5 * 60_000;
const initialReadinessMs = 30_000;

interface Groups {
  readonly ready: ReadonlyMap<string, number>;
  readonly unready: readonly string[];
  readonly missing: readonly string[];
}

/** Groups Pods into those that count, those that cannot be judged yet, and those without a reading. Pods that are ending are left out. */
function groupPods({ pods, readings, isCPU, nowMs }: UsageInput): Groups {
  const ready = new Map<string, number>();
  const unready: string[] = [];
  const missing: string[] = [];
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const phase = pod.status?.phase;
    if (deletionTimestamp || phase === 'Failed') continue;
    const reading = readings.get(name);
    if (phase === 'Pending') unready.push(name);
    else if (!reading) missing.push(name);
    else if (isCPU && isStarting(pod, reading, nowMs)) unready.push(name);
    else ready.set(name, reading.value);
  }
  return { ready, unready, missing };
}

function isStarting(pod: DeepReadonly<Pod>, reading: Reading, nowMs: number): boolean {
  const condition = findPodCondition(pod, 'Ready');
  const startMs = findTime(pod.status?.startTime);
  if (!condition || startMs === undefined) return true;
  const isUnready = condition.status === 'False';
  const changedMs = findTime(condition.lastTransitionTime) ?? 0;
  if (startMs + cpuInitializationMs > nowMs) return isUnready || reading.timeMs < changedMs + reading.windowMs;
  return isUnready && startMs + initialReadinessMs > changedMs;
}

/**
 * The calculation for all metrics of Pods. Missing values are replaced by guesses that never enlarge the change; a change that the guesses
 * reverse is not made.
 */
function calculate(
  input: UsageInput,
  compare: (usage: ReadonlyMap<string, number>) => Measured | undefined,
  guessIdle: (pod: string) => number,
): Calculation {
  const { currentReplicas, tolerances } = input;
  if (input.pods.length === 0) return { problem: 'no pods returned by selector while calculating replica count' };
  const { ready, unready, missing } = groupPods(input);
  if (ready.size === 0) return { problem: 'did not receive metrics for targeted pods (pods might be unready)' };
  const known = compare(ready);
  if (!known) return { problem: 'no metrics returned matched known pods' };
  const { ratio, average } = known;
  const answer = (replicas: number): Calculation => ({
    replicas,
    average,
    ...(known.utilization === undefined ? {} : { utilization: known.utilization }),
  });
  const countsUnready = unready.length > 0 && ratio > 1;
  if (!countsUnready && missing.length === 0) {
    return answer(isWithin(ratio, tolerances) ? currentReplicas : Math.ceil(ratio * ready.size));
  }
  const usage = new Map(ready);
  if (ratio !== 1) for (const name of missing) usage.set(name, ratio < 1 ? guessIdle(name) : 0);
  if (countsUnready) for (const name of unready) usage.set(name, 0);
  const guessed = compare(usage)?.ratio ?? 1;
  if (isWithin(guessed, tolerances) || guessed > 1 !== ratio > 1) return answer(currentReplicas);
  const replicas = Math.ceil(guessed * usage.size);
  const turnsAround = guessed < 1 ? replicas > currentReplicas : replicas < currentReplicas;
  return answer(turnsAround ? currentReplicas : replicas);
}

function isWithin(ratio: number, { up, down }: Tolerances): boolean {
  // Ratios are quotients: a tenth too much is not to fail for the last bit of it.
  return ratio <= 1 + up + Number.EPSILON && ratio >= 1 - down - Number.EPSILON;
}

/** The replicas for a target in percent of the Pods' requests. `requests`: thousandths, by the Pod's name. */
export function replicasForUtilization(input: UsageInput, requests: ReadonlyMap<string, number>, targetPercent: number): Calculation {
  const compare = (usage: ReadonlyMap<string, number>): Measured | undefined => {
    let [used, requested, count] = [0, 0, 0];
    for (const [name, value] of usage) {
      const request = requests.get(name);
      if (request === undefined) continue;
      used += value;
      requested += request;
      count++;
    }
    if (requested === 0) return undefined;
    const utilization = Math.trunc((used * 100) / requested);
    return { ratio: utilization / targetPercent, average: Math.trunc(used / count), utilization };
  };
  const idle = Math.max(100, targetPercent) / 100;
  return calculate(input, compare, (name) => Math.trunc((requests.get(name) ?? 0) * idle));
}

/** From usage per Pod. `target`: thousandths. */
export function replicasForUsage(input: UsageInput, target: number): Calculation {
  const compare = (usage: ReadonlyMap<string, number>): Measured => {
    let total = 0;
    for (const value of usage.values()) total += value;
    const average = Math.trunc(total / usage.size);
    return { ratio: average / target, average };
  };
  return calculate(input, compare, () => target);
}

interface TotalInput {
  /** The usage of all replicas together, thousandths. */
  readonly total: number;
  readonly tolerances: Tolerances;
}

/** From a number that is shared by all replicas. `replicas`: as the scale's status has them. */
export function replicasForShare({ total, tolerances }: TotalInput, replicas: number, target: number): Calculation {
  const ratio = total / (target * replicas);
  const wanted = isWithin(ratio, tolerances) ? replicas : Math.ceil(total / target);
  return { replicas: wanted, average: replicas > 0 ? Math.ceil(total / replicas) : 0 };
}

/** The replicas for a target value. `readyPods` is undefined where the target has no replicas. */
export function replicasForValue(
  { total, tolerances }: TotalInput,
  currentReplicas: number,
  readyPods: number | undefined,
  target: number,
): Calculation {
  const ratio = total / target;
  if (readyPods === undefined) return { replicas: Math.ceil(ratio), average: total };
  return { replicas: isWithin(ratio, tolerances) ? currentReplicas : Math.ceil(ratio * readyPods), average: total };
}
