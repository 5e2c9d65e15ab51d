import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { PriorityLevelConfiguration } from '../../../api/types/flowcontrol-v1.ts';
import { allocateSeats } from './allocate-seats.ts';
import type { QueuingConfiguration } from './queue-set.ts';

type Level = DeepReadonly<PriorityLevelConfiguration>;

/** The seats of a priority level as configured. */
export interface LevelLimits {
  readonly nominal: number;
  /** The nominal limit less the seats that may be lent. */
  readonly min: number;
  /** The nominal limit plus the seats that may be borrowed. */
  readonly max: number;
  /** The most seats of one request; undefined: the level sets no limit. */
  readonly maxSeats: number | undefined;
}

/** A level's queues; undefined for a level whose spec contradicts itself, which is ignored. */
export function queuingOf({ metadata, spec }: Level): QueuingConfiguration | undefined {
  const isExempt = spec?.type === 'Exempt';
  if (isExempt !== (metadata.name === 'exempt') || isExempt === (spec?.exempt === undefined)) return undefined;
  if (isExempt) return { kind: 'exempt' };
  if (spec?.type !== 'Limited' || spec.limited === undefined) return undefined;
  const { type, queuing } = spec.limited.limitResponse ?? {};
  if (type !== 'Queue') return queuing === undefined ? { kind: 'reject' } : undefined;
  if (queuing === undefined) return undefined;
  const { queues = defaultQueuing.queues, queueLengthLimit = defaultQueuing.queueLengthLimit } = queuing;
  return { kind: 'queue', queues, queueLengthLimit };
}

const defaultQueuing = { queues: 64, handSize: 8, queueLengthLimit: 50 };
const defaultShares = 30;
/** The greatest share of its level's seats that one request may have. */
const maxSeatsFraction = 0.15;

export function handSizeOf({ spec }: Level): number {
  const response = spec?.limited?.limitResponse;
  return response?.type === 'Queue' ? (response.queuing?.handSize ?? defaultQueuing.handSize) : 0;
}

function sharesOf({ spec }: Level): number {
  return spec?.limited ? (spec.limited.nominalConcurrencyShares ?? defaultShares) : (spec?.exempt?.nominalConcurrencyShares ?? 0);
}

/** Divides the server's seats among the levels by their shares; by name. Rounded up, so that together it may be a few more. */
export function planLimits(levels: readonly Level[], serverSeats: number): Map<string, LevelLimits> {
  const shares = levels.reduce((sum, level) => sum + sharesOf(level), 0);
  return new Map(
    levels.map((level) => {
      const { limited, exempt } = level.spec ?? {};
      const nominal = shares === 0 ? 0 : Math.ceil((serverSeats * sharesOf(level)) / shares);
      const lendable = Math.round((nominal * (limited?.lendablePercent ?? exempt?.lendablePercent ?? 0)) / 100);
      const borrowing =
        limited?.borrowingLimitPercent === undefined ? serverSeats : Math.round((nominal * limited.borrowingLimitPercent) / 100);
      const handSize = handSizeOf(level);
      const fair = Math.min(Math.ceil(nominal * maxSeatsFraction), Math.floor(nominal / handSize));
      const maxSeats = handSize === 0 ? undefined : Math.max(1, fair);
      return [level.metadata.name ?? '', { nominal, min: nominal - lendable, max: nominal + borrowing, maxSeats }];
    }),
  );
}

/** A level and its recent demand. */
export interface LevelDemand {
  readonly name: string;
  readonly isExempt: boolean;
  readonly limits: LevelLimits;
  readonly highWatermark: number;
  readonly smoothed: number;
  readonly currentLimit: number;
}

interface Borrowing {
  readonly fairFraction: number;
  readonly levels: ReadonlyMap<string, { readonly currentLimit: number; readonly target: number }>;
}

/**
 * The limits of the levels for the next period: every level keeps what it used recently, up to its nominal limit, and lends the rest
 * (KEP-1040).
 */
export function planBorrowing(levels: readonly LevelDemand[]): Borrowing {
  const total = levels.reduce((sum, { limits }) => sum + limits.nominal, 0);
  const limited = levels.filter(({ isExempt }) => !isExempt);
  const leastOf = ({ isExempt, limits, highWatermark }: LevelDemand) =>
    Math.max(limits.min, isExempt ? highWatermark : Math.min(limits.nominal, highWatermark));
  const targetOf = (level: LevelDemand) => Math.max(leastOf(level), level.smoothed);
  const remaining = levels.reduce((sum, level) => (level.isExempt ? sum - leastOf(level) : sum), total);
  const sumOfMin = limited.reduce((sum, { limits }) => sum + limits.min, 0);
  const sumOfLeast = limited.reduce((sum, level) => sum + leastOf(level), 0);
  const result = (fairFraction: number, limitOf: (level: LevelDemand, index: number) => number): Borrowing => {
    const limits = new Map(limited.map((level, index) => [level.name, Math.round(limitOf(level, index))]));
    const entries = levels.map(
      (level) => [level.name, { currentLimit: limits.get(level.name) ?? leastOf(level), target: targetOf(level) }] as const,
    );
    return { fairFraction, levels: new Map(entries) };
  };
  if (remaining <= sumOfMin) return result(0, ({ limits }) => limits.min);
  if (remaining <= sumOfLeast) {
    const share = (remaining - sumOfMin) / (sumOfLeast - sumOfMin);
    return result(0, (level) => level.limits.min + (leastOf(level) - level.limits.min) * share);
  }
  const claims = limited.map((level) => ({ lowerBound: leastOf(level), upperBound: level.limits.max, target: targetOf(level) }));
  const allocation = allocateSeats(total, claims);
  return allocation
    ? result(allocation.fairFraction, (_level, index) => allocation.seats[index] ?? 0)
    : result(0, ({ currentLimit }) => currentLimit);
}
