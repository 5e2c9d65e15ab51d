/** The claim of one priority level in the division of seats. */
interface SeatClaim {
  /** The least seats that it gets. */
  readonly lowerBound: number;
  /** The most seats that it gets. */
  readonly upperBound: number;
  /** The seats that it would make use of; not below its lower bound. */
  readonly target: number;
}

interface SeatAllocation {
  /** In the order of the claims; not rounded. */
  readonly seats: readonly number[];
  /** The share of its target that every level gets whose bounds allow it. */
  readonly fairFraction: number;
}

/** A target of zero would make any share of it nothing. */
const minTarget = 0.001;
const tolerance = 1e-7;

/**
 * Shares out seats so that each level gets the same fraction of its target, within its bounds (KEP-1040, max-min
 * fairness). undefined where the bounds leave no way to hand out exactly that many.
 */
export function allocateSeats(total: number, claims: readonly SeatClaim[]): SeatAllocation | undefined {
  const targets = claims.map(({ target }) => Math.max(target, minTarget));
  const sharesAt = (fraction: number) => claims.map((claim, index) => clamp((targets[index] ?? 0) * fraction, claim));
  const sumAt = (fraction: number) => sum(sharesAt(fraction));
  const lowest = sum(claims.map(({ lowerBound }) => lowerBound));
  const highest = sum(claims.map(({ upperBound }) => upperBound));
  if (total < 0 || lowest - total > tolerance || total - highest > tolerance) return undefined;
  if (total === 0) return { seats: claims.map(() => 0), fairFraction: 0 };
  // The sum grows with the fraction, in straight lines between the fractions at which a bound begins or ceases to count.
  const corners = claims
    .flatMap(({ lowerBound, upperBound }, index) => [lowerBound / (targets[index] ?? 1), upperBound / (targets[index] ?? 1)])
    .sort((a, b) => a - b);
  let below = corners[0] ?? 0;
  for (const corner of corners) {
    const [sumBelow, sumHere] = [sumAt(below), sumAt(corner)];
    if (sumHere >= total - tolerance) {
      const fairFraction = sumHere === sumBelow ? corner : below + ((total - sumBelow) * (corner - below)) / (sumHere - sumBelow);
      return { seats: sharesAt(fairFraction), fairFraction };
    }
    below = corner;
  }
  return { seats: sharesAt(below), fairFraction: below };
}

function clamp(value: number, { lowerBound, upperBound }: SeatClaim): number {
  return Math.max(lowerBound, Math.min(upperBound, value));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
