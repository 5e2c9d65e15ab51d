import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { PodStatus } from '../../../api/types/core-v1.ts';

/** Fields of a Pod's status that the node answers for; all others it leaves alone. */
const owned = [
  'observedGeneration',
  'phase',
  'reason',
  'message',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
] as const;

/** Conditions of the node that are there only while they hold. */
const transient = ['PodResizePending', 'PodResizeInProgress'];

/**
 * The strategic merge patch that brings `present` to `wanted`, or undefined where nothing differs. Conditions of others are
 * kept: only the node's own are sent.
 */
export function statusPatch(present: DeepReadonly<PodStatus>, wanted: DeepReadonly<PodStatus>): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const field of owned) {
    if (isSame(present[field], wanted[field])) continue;
    const value = wanted[field] ?? null;
    // These lists are merged by their key: an address that is gone would stay. The directive is for lists that are there.
    const isMerged = (field === 'podIPs' || field === 'hostIPs') && (present[field] ?? []).length > 0;
    patch[field] = isMerged && Array.isArray(value) ? [{ $patch: 'replace' }, ...(value as unknown[])] : value;
  }
  const conditions = (wanted.conditions ?? []).flatMap((condition) => {
    const before = present.conditions?.find(({ type }) => type === condition.type);
    if (before && isSame({ ...before, lastProbeTime: null }, { ...condition, lastProbeTime: null })) return [];
    // A field that is gone has to be taken away by name.
    const gone = Object.keys(before ?? {}).filter((key) => !(key in condition) && key !== 'lastProbeTime');
    return [{ ...condition, ...Object.fromEntries(gone.map((key) => [key, null])) }];
  });
  const over = transient
    .filter((type) => present.conditions?.some((one) => one.type === type) && !wanted.conditions?.some((one) => one.type === type))
    .map((type) => ({ $patch: 'delete', type }));
  if (conditions.length + over.length > 0) patch['conditions'] = [...conditions, ...over];
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/** Structural equality; absent, null, and empty texts, lists and objects are the same. */
function isSame(a: unknown, b: unknown): boolean {
  if (isEmpty(a) && isEmpty(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}
