import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { quote } from '../../../../base/quote.ts';
import { quantityMilliValue } from '../../../../base/quantity/arithmetic.ts';
import type { PersistentVolumeClaimSpec } from '../../../../types/core-v1.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';

/** Warnings for fractional bytes in a claim or in a claim template. `path` is the path of its spec. */
export function claimSpecWarnings(spec: DeepReadonly<PersistentVolumeClaimSpec> | undefined, path: FieldPath): string[] {
  return (['requests', 'limits'] as const).flatMap((field) => {
    const amount = spec?.resources?.[field]?.['storage'];
    if (amount === undefined || quantityMilliValue(amount) % 1000 === 0) return [];
    const at = path.child('resources', field).key('storage');
    return [`${at}: fractional byte value ${quote(amount)} is invalid, must be an integer`];
  });
}
