import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { addQuantities, quantityOf } from '../../../api/base/quantity/arithmetic.ts';
import { isInQuotaScope } from '../../../api/semantics/quota/quota-scopes.ts';
import { countName, isQuotaResourceOf, quotaUsage, type QuotaSubject } from '../../../api/semantics/quota/quota-usage.ts';
import { formatResourceList, type ResourceAmounts } from '../../../api/semantics/pods/resource-list.ts';
import type { Pod, ResourceQuota } from '../../../api/types/core-v1.ts';

type Quota = DeepReadonly<ResourceQuota>;

/** How the usage of one resource is found: from the objects, or as their number. */
export type Counted =
  | { readonly subject: QuotaSubject; readonly objects: readonly unknown[] }
  | { readonly subject: QuotaSubject; readonly count: number };

/** The status that the quota has to have, given all objects of its namespace that it can be about. Pure. */
export function quotaStatus(quota: Quota, counted: readonly Counted[], nowMs: number): NonNullable<ResourceQuota['status']> {
  const hard = { ...quota.spec?.hard };
  const used: ResourceAmounts = new Map(Object.keys(hard).map((name) => [name, quantityOf(0)]));
  const add = (amounts: ResourceAmounts) => {
    for (const [name, quantity] of amounts) {
      const sum = used.get(name);
      if (sum) used.set(name, addQuantities(quantityOf(0, quantity.format), addQuantities(sum, quantity)));
    }
  };
  for (const entry of counted) {
    const { subject } = entry;
    if ('count' in entry) {
      const total = quantityOf(entry.count);
      const names = Object.keys(hard).filter((name) => isQuotaResourceOf(subject, name));
      if (isInQuotaScope(quota, undefined)) add(new Map(names.map((name) => [name, total])));
      continue;
    }
    const isPods = countName(subject) === 'count/pods';
    for (const object of entry.objects) {
      if (isInQuotaScope(quota, isPods ? (object as DeepReadonly<Pod>) : undefined)) add(quotaUsage(subject, object, nowMs));
    }
  }
  return { hard, used: formatResourceList(used) };
}

/** Whether anything has to be written. */
export function isUpToDate({ status }: Quota, wanted: NonNullable<ResourceQuota['status']>): boolean {
  return isSemanticallyEqual(status?.hard ?? {}, wanted.hard ?? {}) && isSemanticallyEqual(status?.used ?? {}, wanted.used ?? {});
}
