/** The fields that the conditions of all kinds share. */
interface ConditionLike {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | null;
}

/** The condition of that type, or undefined. */
export function findCondition<C extends { readonly type: string }>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The conditions with `condition` in place of the one of its type, or at the end. Its lastTransitionTime is kept while the status stays the
 * same. Returns the same array if nothing changes.
 */
export function withCondition<C extends ConditionLike>(conditions: readonly C[], condition: C): readonly C[] {
  const index = conditions.findIndex((present) => present.type === condition.type);
  const present = conditions[index];
  if (present === undefined) return [...conditions, condition];
  const merged: C = { ...present, ...condition };
  if (present.status === condition.status && present.lastTransitionTime !== undefined)
    merged.lastTransitionTime = present.lastTransitionTime;
  const keys = Object.keys(merged) as (keyof C)[];
  if (keys.every((key) => merged[key] === present[key])) return conditions;
  return conditions.with(index, merged);
}
