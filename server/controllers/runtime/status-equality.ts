import { isSemanticallyEqual } from '../../../api/base/equality.ts';

/** Whether two statuses say the same: counts of 0 may or may not be on the wire. */
export function isSameStatus(a: object | undefined, b: object | undefined): boolean {
  return isSemanticallyEqual(withoutZeros(a), withoutZeros(b));
}

function withoutZeros(status: object | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== 0));
}
