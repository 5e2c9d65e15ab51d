import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { compareQuantities, quantityMilliValue } from '../../../../../api/base/quantity/arithmetic.ts';
import { formatQuantity, parseQuantity, type Quantity } from '../../../../../api/base/quantity/quantity.ts';
import { podLimits, podRequests } from '../../../../../api/semantics/pods/pod-resources.ts';
import { parseResourceList, type ResourceAmounts } from '../../../../../api/semantics/pods/resource-list.ts';
import type { LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '../../../../../api/types/core-v1.ts';

/** The violations of the limits by the Pod, one message each. */
export function checkPod(pod: DeepReadonly<Pod>, { spec }: DeepReadonly<LimitRange>): string[] {
  return (spec?.limits ?? []).flatMap((item) => {
    if (item.type === 'Pod') {
      const options = { withoutOverhead: true };
      return check(item, podRequests(pod, options), podLimits(pod, options));
    }
    if (item.type !== 'Container') return [];
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    return containers.flatMap(({ resources }) => check(item, parseResourceList(resources?.requests), parseResourceList(resources?.limits)));
  });
}

/** As checkPod, of the storage that a claim requests. */
export function checkClaim(claim: DeepReadonly<PersistentVolumeClaim>, { spec }: DeepReadonly<LimitRange>): string[] {
  const requests = parseResourceList(claim.spec?.resources?.requests);
  return (spec?.limits ?? []).flatMap((item) => {
    if (item.type !== 'PersistentVolumeClaim') return [];
    return [
      ...entriesOf(item.min).flatMap(([name, least]) => checkMinimum(item.type, name, least, requests.get(name), undefined)),
      ...entriesOf(item.max).flatMap(([name, most]) => checkMaximumRequest(item.type, name, most, requests.get(name))),
    ];
  });
}

function entriesOf(list: Readonly<Record<string, string>> | undefined): [string, Quantity][] {
  const sorted = Object.entries(list ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, text]) => [name, parseQuantity(String(text))]);
}

function check(item: DeepReadonly<LimitRangeItem>, requests: ResourceAmounts, limits: ResourceAmounts): string[] {
  const { type } = item;
  return [
    ...entriesOf(item.min).flatMap(([name, least]) => checkMinimum(type, name, least, requests.get(name), limits.get(name))),
    ...entriesOf(item.max).flatMap(([name, most]) => checkMaximum(type, name, most, requests.get(name), limits.get(name))),
    ...entriesOf(item.maxLimitRequestRatio).flatMap(([name, ratio]) => checkRatio(type, name, ratio, requests.get(name), limits.get(name))),
  ];
}

function checkMinimum(type: string, name: string, least: Quantity, request: Quantity | undefined, limit: Quantity | undefined): string[] {
  const text = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`;
  if (!request) return [`${text}.  No request is specified`];
  if (compareQuantities(request, least) < 0) return [`${text}, but request is ${formatQuantity(request)}`];
  return limit && compareQuantities(limit, least) < 0 ? [`${text}, but limit is ${formatQuantity(limit)}`] : [];
}

function checkMaximum(type: string, name: string, most: Quantity, request: Quantity | undefined, limit: Quantity | undefined): string[] {
  const text = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  if (!limit) return [`${text}.  No limit is specified`];
  if (compareQuantities(limit, most) > 0) return [`${text}, but limit is ${formatQuantity(limit)}`];
  return request && compareQuantities(request, most) > 0 ? [`${text}, but request is ${formatQuantity(request)}`] : [];
}

function checkMaximumRequest(type: string, name: string, most: Quantity, request: Quantity | undefined): string[] {
  const text = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  if (!request) return [`${text}.  No request is specified`];
  return compareQuantities(request, most) > 0 ? [`${text}, but request is ${formatQuantity(request)}`] : [];
}

function checkRatio(type: string, name: string, most: Quantity, request: Quantity | undefined, limit: Quantity | undefined): string[] {
  const text = `${name} max limit to request ratio per ${type} is ${formatQuantity(most)}`;
  const requested = request ? quantityMilliValue(request) : 0;
  const limited = limit ? quantityMilliValue(limit) : 0;
  if (requested === 0) return [`${text}, but no request is specified or request is 0`];
  if (limited === 0) return [`${text}, but no limit is specified or limit is 0`];
  const ratio = limited / requested;
  return ratio * 1000 > quantityMilliValue(most) ? [`${text}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}
