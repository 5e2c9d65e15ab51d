import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { addQuantities, compareQuantities, quantityOf, subtractQuantities } from '../../../../../api/base/quantity/arithmetic.ts';
import { formatQuantity, type Quantity } from '../../../../../api/base/quantity/quantity.ts';
import { isInQuotaScope } from '../../../../../api/semantics/quota/quota-scopes.ts';
import { isQuotaResourceOf, missingForQuota, quotaUsage, type QuotaSubject } from '../../../../../api/semantics/quota/quota-usage.ts';
import { parseResourceList, type ResourceAmounts } from '../../../../../api/semantics/pods/resource-list.ts';
import type { Pod, ResourceQuota } from '../../../../../api/types/core-v1.ts';

type Quota = DeepReadonly<ResourceQuota>;

interface QuotaQuestion {
  readonly subject: QuotaSubject;
  readonly object: unknown;
  /** Absent on create. */
  readonly old?: unknown;
  readonly nowMs: number;
}

/** The new usage of the quotas that are concerned, or the reason why the object is refused. */
type QuotaPlan =
  | { readonly problem: string }
  | { readonly updates: readonly { readonly quota: Quota; readonly used: Readonly<Record<string, string>> }[] };

/** Decides by the quotas' statuses: limits that the quota controller has not taken up yet limit nothing. Pure. */
export function planQuotaUse(quotas: readonly Quota[], { subject, object, old, nowMs }: QuotaQuestion): QuotaPlan {
  const pod = subject.group === '' && subject.resource === 'pods' ? (object as DeepReadonly<Pod>) : undefined;
  const wanted = increase(quotaUsage(subject, object, nowMs), old === undefined ? new Map() : quotaUsage(subject, old, nowMs));
  const updates: { quota: Quota; used: Record<string, string> }[] = [];
  for (const quota of quotas) {
    const hard = parseResourceList(quota.status?.hard);
    const names = [...hard.keys()].filter((name) => isQuotaResourceOf(subject, name));
    if (names.length === 0 || !isInQuotaScope(quota, pod)) continue;
    const name = quota.metadata.name ?? '';
    const missing = pod ? missingForQuota(pod, names) : '';
    if (missing !== '') return { problem: `failed quota: ${name}: must specify ${missing}` };
    const used = parseResourceList(quota.status?.used);
    const unknown = names.filter((resource) => !used.has(resource));
    if (unknown.length > 0) return { problem: `status unknown for quota: ${name}, resources: ${unknown.sort().join(',')}` };
    const requested = new Map([...wanted].filter(([resource]) => hard.has(resource)));
    if (requested.size === 0) continue;
    const after = add(used, requested);
    const exceeded = [...requested.keys()].filter((resource) => exceeds(after.get(resource), hard.get(resource))).sort();
    if (exceeded.length > 0) {
      const show = (amounts: ResourceAmounts) =>
        exceeded.map((resource) => `${resource}=${formatQuantity(amounts.get(resource) ?? quantityOf(0))}`).join(',');
      return { problem: `exceeded quota: ${name}, requested: ${show(requested)}, used: ${show(used)}, limited: ${show(hard)}` };
    }
    updates.push({ quota, used: Object.fromEntries([...after].map(([resource, quantity]) => [resource, formatQuantity(quantity)])) });
  }
  return { updates };
}

function exceeds(amount: Quantity | undefined, limit: Quantity | undefined): boolean {
  return amount !== undefined && limit !== undefined && compareQuantities(amount, limit) > 0;
}

/** Only increases: decreases are handled by the quota controller. */
function increase(usage: ResourceAmounts, before: ResourceAmounts): ResourceAmounts {
  const more: ResourceAmounts = new Map();
  for (const [name, quantity] of usage) {
    const difference = subtractQuantities(quantity, before.get(name) ?? quantityOf(0, quantity.format));
    if (compareQuantities(difference, quantityOf(0)) > 0) more.set(name, difference);
  }
  return more;
}

function add(used: ResourceAmounts, requested: ResourceAmounts): ResourceAmounts {
  const sum: ResourceAmounts = new Map(used);
  for (const [name, quantity] of requested) sum.set(name, addQuantities(used.get(name) ?? quantityOf(0, quantity.format), quantity));
  return sum;
}
