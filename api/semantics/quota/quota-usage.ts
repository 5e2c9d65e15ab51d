import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { findTime } from '../../meta/time.ts';
import { compareQuantities, quantityOf } from '../../base/quantity/arithmetic.ts';
import { parseQuantity } from '../../base/quantity/quantity.ts';
import type { Container, PersistentVolumeClaim, Pod, Service } from '../../types/core-v1.ts';
import type { ResourceClaim } from '../../types/resource-v1.ts';
import { isPodFinished } from '../pods/pod-phase.ts';
import { podLimits, podRequests } from '../pods/pod-resources.ts';
import { isExtendedResource, isHugePagesResource, parseResourceList, type ResourceAmounts } from '../pods/resource-list.ts';

/** The resource that an object belongs to. */
export interface QuotaSubject {
  readonly group: string;
  /** Plural, e.g. pods. */
  readonly resource: string;
}

/** Resources of the core group whose objects are also counted without `count/`. */
const countedByName: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
]);
/** Come and go by themselves in any number. */
const uncounted: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io', 'bindings']);

const one = () => quantityOf(1);

export function isCountedByQuota({ group, resource }: QuotaSubject): boolean {
  return !uncounted.has(group === '' ? resource : `${resource}.${group}`);
}

/** `count/deployments.apps`: how a quota names the number of objects. */
export function countName({ group, resource }: QuotaSubject): string {
  return group === '' ? `count/${resource}` : `count/${resource}.${group}`;
}

/** The usage of one object, by the resource names that quotas use. */
export function quotaUsage(subject: QuotaSubject, object: unknown, nowMs: number): ResourceAmounts {
  const usage: ResourceAmounts = new Map([[countName(subject), one()]]);
  if (isOfClaims(subject)) addDevices(usage, object as DeepReadonly<ResourceClaim>);
  if (subject.group !== '') return usage;
  if (subject.resource === 'pods') addPod(usage, object as DeepReadonly<Pod>, nowMs);
  else if (countedByName.has(subject.resource)) usage.set(subject.resource, one());
  if (subject.resource === 'services') addService(usage, object as DeepReadonly<Service>);
  if (subject.resource === 'persistentvolumeclaims') addClaim(usage, object as DeepReadonly<PersistentVolumeClaim>);
  return usage;
}

/** Whether objects of the resource count towards a quota's resource of that name. */
export function isQuotaResourceOf(subject: QuotaSubject, name: string): boolean {
  if (name === countName(subject) || (isOfClaims(subject) && name.endsWith(devicesSuffix))) return true;
  if (subject.group !== '') return false;
  switch (subject.resource) {
    case 'pods':
      return name === 'pods' || isPodResource(name);
    case 'services':
      return name === 'services' || name === 'services.nodeports' || name === 'services.loadbalancers';
    case 'persistentvolumeclaims':
      return name === 'persistentvolumeclaims' || name === 'requests.storage' || name.includes(storageClassInfix);
    default:
      return name === subject.resource && countedByName.has(name);
  }
}

const computeNames = ['cpu', 'memory', 'ephemeral-storage'] as const;

function isPodResource(name: string): boolean {
  const bare = name.replace(/^(?:requests|limits)\./, '');
  if ((computeNames as readonly string[]).includes(bare) || isHugePagesResource(bare)) return true;
  return name.startsWith('requests.') && isExtendedResource(bare);
}

function addPod(usage: ResourceAmounts, pod: DeepReadonly<Pod>, nowMs: number): void {
  if (!occupiesQuota(pod, nowMs)) return;
  usage.set('pods', one());
  addComputeUsage(usage, podRequests(pod), podLimits(pod));
}

/** A Pod that has ended, or should have long ago, leaves its share to others. */
function occupiesQuota(pod: DeepReadonly<Pod>, nowMs: number): boolean {
  if (isPodFinished(pod)) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  const deletionMs = findTime(deletionTimestamp);
  // The timestamp is the end of the grace period already; as much again is waited for a node that does not answer.
  return deletionMs === undefined || nowMs <= deletionMs + deletionGracePeriodSeconds * 1000;
}

function addComputeUsage(usage: ResourceAmounts, requests: ResourceAmounts, limits: ResourceAmounts): void {
  for (const [name, quantity] of requests) {
    const isCompute = (computeNames as readonly string[]).includes(name);
    if (isCompute || isHugePagesResource(name)) usage.set(name, quantity);
    if (isCompute || isHugePagesResource(name) || isExtendedResource(name)) usage.set(`requests.${name}`, quantity);
  }
  for (const [name, quantity] of limits) if ((computeNames as readonly string[]).includes(name)) usage.set(`limits.${name}`, quantity);
}

function addService(usage: ResourceAmounts, { spec }: DeepReadonly<Service>): void {
  const ports = spec?.ports ?? [];
  const isBalanced = spec?.type === 'LoadBalancer';
  let nodePorts = spec?.type === 'NodePort' || isBalanced ? ports.length : 0;
  if (isBalanced && spec?.allocateLoadBalancerNodePorts === false) nodePorts = ports.filter(({ nodePort }) => nodePort).length;
  usage.set('services.nodeports', quantityOf(nodePorts));
  usage.set('services.loadbalancers', quantityOf(isBalanced ? 1 : 0));
}

const storageClassInfix = '.storageclass.storage.k8s.io/';
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

function addClaim(usage: ResourceAmounts, { metadata, spec, status }: DeepReadonly<PersistentVolumeClaim>): void {
  const className = metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '';
  if (className !== '') usage.set(`${className}${storageClassInfix}persistentvolumeclaims`, one());
  const requested = spec?.resources?.requests?.['storage'];
  if (requested === undefined) return;
  // An allocation for an expansion that failed still counts.
  const allocated = status?.allocatedResources?.['storage'];
  const amounts = [requested, ...(allocated === undefined ? [] : [allocated])].map((text) => parseQuantity(String(text)));
  const [first, second] = amounts;
  if (first === undefined) return;
  const storage = second !== undefined && compareQuantities(second, first) > 0 ? second : first;
  usage.set('requests.storage', storage);
  if (className !== '') usage.set(`${className}${storageClassInfix}requests.storage`, storage);
}

const devicesSuffix = '.deviceclass.resource.k8s.io/devices';
/** The maximum number of devices of a claim. */
const maxDevices = 32;

function isOfClaims({ group, resource }: QuotaSubject): boolean {
  return group === 'resource.k8s.io' && resource === 'resourceclaims';
}

/** Adds the devices of a claim. For alternatives, each class counts with the alternative that has the most devices. */
function addDevices(usage: ResourceAmounts, { spec }: DeepReadonly<ResourceClaim>): void {
  const totals = new Map<string, number>();
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    const most = new Map<string, number>();
    for (const { deviceClassName, allocationMode, count = 0 } of exactly === undefined ? firstAvailable : [exactly]) {
      const devices = allocationMode === 'All' ? maxDevices : count;
      most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devices));
    }
    for (const [name, devices] of most) totals.set(name, (totals.get(name) ?? 0) + devices);
  }
  for (const [name, devices] of totals) usage.set(`${name}${devicesSuffix}`, quantityOf(devices));
}

const constrained = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

/**
 * The text after `must specify`, or '' if nothing is missing: where a quota limits cpu or memory, each container has to give a value.
 * `names` are the limited resources.
 */
export function missingForQuota({ spec }: DeepReadonly<Pod>, names: readonly string[]): string {
  if (!spec || Object.keys(spec.resources?.requests ?? {}).length > 0 || Object.keys(spec.resources?.limits ?? {}).length > 0) return '';
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  return constrained
    .filter((name) => names.includes(name))
    .sort()
    .flatMap((name) => {
      const lacking = containers.filter((container) => !says(container, name)).map((container) => container.name);
      return lacking.length === 0 ? [] : [`${name} for: ${lacking.sort().join(',')}`];
    })
    .join('; ');
}

function says({ resources }: DeepReadonly<Container>, name: string): boolean {
  const usage: ResourceAmounts = new Map();
  addComputeUsage(usage, parseResourceList(resources?.requests), parseResourceList(resources?.limits));
  return usage.has(name);
}
