import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { parseDurationMs } from '../../../api/meta/duration.ts';

/** The signals in the order in which they are handled, the most urgent first. */
export const signals = [
  'memory.available',
  'allocatableMemory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'containerfs.available',
  'containerfs.inodesFree',
  'pid.available',
] as const;

export type Signal = (typeof signals)[number];

export type NodePressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

export const pressureOf: Readonly<Record<Signal, NodePressure>> = {
  'memory.available': 'MemoryPressure',
  'allocatableMemory.available': 'MemoryPressure',
  'nodefs.available': 'DiskPressure',
  'nodefs.inodesFree': 'DiskPressure',
  'imagefs.available': 'DiskPressure',
  'imagefs.inodesFree': 'DiskPressure',
  'containerfs.available': 'DiskPressure',
  'containerfs.inodesFree': 'DiskPressure',
  'pid.available': 'PIDPressure',
};

/** An amount, or a part of the capacity. */
type ThresholdValue = { readonly quantity: number } | { readonly share: number };

export interface Threshold {
  readonly signal: Signal;
  readonly value: ThresholdValue;
  /** How long it has to be passed; 0: hard, at once and without much grace. */
  readonly graceMs: number;
  /** How much more than the threshold has to be free before it counts as over. */
  readonly minReclaim?: ThresholdValue;
}

export interface EvictionSettings {
  readonly thresholds: readonly Threshold[];
  /** The milliseconds for which pressure is reported after it was last observed. */
  readonly transitionMs: number;
  /** The most that Pods are given to end where a soft threshold is passed, seconds. */
  readonly maxPodGraceSeconds: number;
}

export interface EvictionFlags {
  readonly evictionHard: string;
  readonly evictionSoft: string;
  readonly evictionSoftGracePeriod: string;
  readonly evictionMinimumReclaim: string;
  readonly evictionMaxPodGracePeriod: string;
  readonly evictionPressureTransitionPeriod: string;
}

export const defaultEvictionFlags: EvictionFlags = {
  evictionHard: 'imagefs.available<15%,imagefs.inodesFree<5%,memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%',
  evictionSoft: '',
  evictionSoftGracePeriod: '',
  evictionMinimumReclaim: '',
  evictionMaxPodGracePeriod: '0',
  evictionPressureTransitionPeriod: '5m0s',
};

/** The kubelet's `--eviction-*`. Throws in its words. */
export function parseEvictionFlags(flags: EvictionFlags): EvictionSettings {
  const reclaims = new Map(pairs(flags.evictionMinimumReclaim, '=').map(([name, text]) => [parseSignal(name), parseValue(text)]));
  const graces = new Map(pairs(flags.evictionSoftGracePeriod, '=').map(([name, text]) => [parseSignal(name), parseGrace(text)]));
  const parse = (text: string, graceOf: (signal: Signal) => number): Threshold[] =>
    pairs(text, '<').flatMap(([name, value]) => {
      const signal = parseSignal(name);
      const minReclaim = reclaims.get(signal);
      const parsed = parseValue(value);
      // Nothing and everything switch a signal off.
      if ('share' in parsed && (parsed.share === 0 || parsed.share === 1)) return [];
      return [{ signal, value: parsed, graceMs: graceOf(signal), ...(minReclaim ? { minReclaim } : {}) }];
    });
  const thresholds = [
    ...parse(flags.evictionHard, () => 0),
    ...parse(flags.evictionSoft, (signal) => {
      const graceMs = graces.get(signal);
      if (graceMs === undefined) throw new Error(`grace period must be specified for the soft eviction threshold ${signal}`);
      return graceMs;
    }),
  ];
  const seconds = Number(flags.evictionMaxPodGracePeriod);
  if (!Number.isInteger(seconds) || seconds < 0)
    throw new Error(`invalid argument "${flags.evictionMaxPodGracePeriod}" for "--eviction-max-pod-grace-period" flag`);
  return { thresholds, transitionMs: parseDurationMs(flags.evictionPressureTransitionPeriod), maxPodGraceSeconds: seconds };
}

/**
 * Adds the threshold of the memory that Pods may use together: where it is limited, it runs out before the machine's memory does, and the
 * kernel would choose what to kill. The same amount has to be left of it.
 */
export function withAllocatableMemory(settings: EvictionSettings): EvictionSettings {
  const own = settings.thresholds.filter(({ signal, graceMs }) => signal === 'memory.available' && graceMs === 0);
  return {
    ...settings,
    thresholds: [...settings.thresholds, ...own.map((one) => ({ ...one, signal: 'allocatableMemory.available' as const }))],
  };
}

/**
 * The file system of writable layers has the thresholds of the one that it is: that of Pods where images alone lie elsewhere,
 * that of images else. Others that were set for it are not heeded, as in kubelets (KEP-4191).
 */
export function withContainerThresholds(thresholds: readonly Threshold[], isSplit: boolean): readonly Threshold[] {
  const rest = thresholds.filter(({ signal }) => !signal.startsWith('containerfs.'));
  if (!isSplit) return rest;
  return [
    ...rest,
    ...rest.flatMap((threshold): Threshold[] => {
      if (threshold.signal === 'nodefs.available') return [{ ...threshold, signal: 'containerfs.available' }];
      return threshold.signal === 'nodefs.inodesFree' ? [{ ...threshold, signal: 'containerfs.inodesFree' }] : [];
    }),
  ];
}

function pairs(text: string, operator: string): [string, string][] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [name = '', value, ...rest] = part.trim().split(operator);
      if (value === undefined || rest.length > 0)
        throw new Error(`invalid eviction threshold syntax ${part}, expected <signal>${operator}<value>`);
      return [name, value];
    });
}

function parseSignal(name: string): Signal {
  const signal = signals.find((one) => one === name);
  if (!signal) throw new Error(`unsupported eviction signal ${name}`);
  return signal;
}

function parseGrace(text: string): number {
  const ms = parseDurationMs(text);
  if (ms < 0) throw new Error(`invalid eviction grace period specified: ${text}, must be a positive value`);
  return ms === 0 ? 1 : ms;
}

function parseValue(text: string): ThresholdValue {
  if (!text.endsWith('%')) {
    const quantity = quantityValue(text);
    if (quantity < 0) throw new Error(`eviction threshold cannot be negative: ${text}`);
    return { quantity };
  }
  const percent = Number(text.slice(0, -1));
  if (!(percent >= 0 && percent <= 100)) throw new Error(`eviction percentage threshold ${text} must be between 0% and 100%`);
  // The share has single precision, as upstream's, so that the free space that must remain is the same byte for byte.
  return { share: Math.fround(Math.fround(percent) / 100) };
}

/** In the unit of the signal. */
export function amountOf(value: ThresholdValue, capacity: number): number {
  return 'quantity' in value ? value.quantity : Math.floor(value.share * capacity);
}
