/** `3` or `"25%"`. */
export type IntOrPercent = number | string;

/** The percentage of `"25%"`, or undefined where it is a plain number or malformed. */
export function findPercentage(value: IntOrPercent): number | undefined {
  const digits = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

/** The number meant: percentages are taken of `total`. Throws where a string is no percentage. */
export function resolveIntOrPercent(value: IntOrPercent, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percentage = findPercentage(value);
  if (percentage === undefined) throw new Error(`invalid value for IntOrString: invalid type: string is not a percentage`);
  const exact = (percentage * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

export interface RollingUpdateBounds {
  /** How many Pods there may be above the desired number. */
  readonly surge: number;
  /** How many of the desired Pods may be unavailable. */
  readonly unavailable: number;
}

/** Pods allowed by maxSurge (rounded up) and maxUnavailable (rounded down); never both 0, so that the update gets on. */
export function resolveRollingUpdateBounds(
  maxSurge: IntOrPercent | undefined,
  maxUnavailable: IntOrPercent | undefined,
  desired: number,
): RollingUpdateBounds {
  const surge = resolveIntOrPercent(maxSurge ?? 0, desired, 'up');
  const unavailable = resolveIntOrPercent(maxUnavailable ?? 0, desired, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}
