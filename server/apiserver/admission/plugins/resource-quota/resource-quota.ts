import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../../api/base/equality.ts';
import { mutableCopy } from '../../../../../api/base/mutable-copy.ts';
import { keyOf } from '../../../../../api/meta/object.ts';
import { hasReason } from '../../../../../api/meta/status.ts';
import { resourceQuotas } from '../../../../../api/resources/core/v1/resource-quota.ts';
import { isCountedByQuota, type QuotaSubject } from '../../../../../api/semantics/quota/quota-usage.ts';
import type { ResourceQuota } from '../../../../../api/types/core-v1.ts';
import { type AdmissionDependencies, type AdmissionRequest, defineAdmissionPlugin } from '../../admission.ts';
import { refuse } from '../../admission-request.ts';
import { planQuotaUse } from './plan-quota-use.ts';

type Quota = DeepReadonly<ResourceQuota>;

/** How often the quotas may change under the plugin's hands before it gives up. */
const maxAttempts = 5;
/** The milliseconds for which a namespace without quotas is remembered, while the informer shows none either. */
const emptyMs = 30_000;
const maxRemembered = 10_000;

/** Changes of existing objects that can take more: a Service its ports, a claim its storage, a Pod its resources. */
const growing: Readonly<Record<string, string>> = { pods: 'resize', services: '', persistentvolumeclaims: '' };

/** Refuses requests that exceed a ResourceQuota of the namespace, and adds allowed ones to the quota's status. */
export const resourceQuota = defineAdmissionPlugin({
  name: 'ResourceQuota',
  operations: ['CREATE', 'UPDATE'],
  reads: [resourceQuotas],
  async validate(request, dependencies) {
    const { operation, namespace, resource, subresource } = request;
    const subject: QuotaSubject = { group: resource.group, resource: resource.names.plural };
    if (subject.group === '' && subject.resource === 'resourcequotas') stateOf(dependencies).empty.delete(namespace);
    if (namespace === '' || resource.storagePrefix === undefined || !isCountedByQuota(subject)) return;
    const isConcerned = operation === 'CREATE' ? subresource === '' : subject.group === '' && growing[subject.resource] === subresource;
    if (!isConcerned || (await quotasOf(namespace, dependencies)).length === 0) return;
    await inTurn(namespace, dependencies, () => useQuota(request, subject, dependencies));
  },
});

async function useQuota(request: AdmissionRequest, subject: QuotaSubject, dependencies: AdmissionDependencies): Promise<void> {
  const { client, clock } = dependencies;
  const state = stateOf(dependencies);
  let quotas: readonly Quota[] = (await quotasOf(request.namespace, dependencies)).map((quota) => newest(state, quota));
  for (let attempt = 1; ; attempt++) {
    const { object, oldObject } = request;
    const question = { subject, object, ...(request.operation === 'UPDATE' ? { old: oldObject } : {}), nowMs: clock.nowMs() };
    const plan = planQuotaUse(quotas, question);
    if ('problem' in plan) {
      // Another server may have counted, or the controller given something back.
      const live: readonly Quota[] = attempt === 1 ? (await client(resourceQuotas).list({ namespace: request.namespace })).items : quotas;
      if (live !== quotas && hasChanged(live, quotas)) {
        quotas = live;
        continue;
      }
      throw refuse(request, plan.problem);
    }
    if (request.dryRun) return;
    try {
      for (const { quota, used } of plan.updates) {
        const changed = mutableCopy<ResourceQuota>(quota);
        const written = await client(resourceQuotas).updateStatus({ ...changed, status: { ...changed.status, used: { ...used } } });
        remember(state, written);
      }
      return;
    } catch (error) {
      if (!hasReason(error, 'Conflict') && !hasReason(error, 'NotFound')) throw error;
      if (attempt >= maxAttempts) throw error;
      quotas = (await client(resourceQuotas).list({ namespace: request.namespace })).items;
    }
  }
}

function hasChanged(live: readonly Quota[], known: readonly Quota[]): boolean {
  const versions = (quotas: readonly Quota[]) =>
    quotas
      .map(({ metadata }) => `${metadata.uid}:${metadata.resourceVersion}`)
      .sort()
      .join();
  return versions(live) !== versions(known);
}

interface State {
  /** The last of a namespace's requests that count: they run one after the other, since they would cause each other conflicts. */
  readonly turns: Map<string, Promise<unknown>>;
  /** Namespaces that had no quota when they were asked about themselves. */
  readonly empty: Map<string, number>;
  /** As written here, which the informer may not have seen yet. */
  readonly written: Map<string, Quota>;
}

const states = new WeakMap<AdmissionDependencies, State>();

function stateOf(dependencies: AdmissionDependencies): State {
  let state = states.get(dependencies);
  if (!state) states.set(dependencies, (state = { turns: new Map(), empty: new Map(), written: new Map() }));
  return state;
}

async function inTurn(namespace: string, dependencies: AdmissionDependencies, work: () => Promise<void>): Promise<void> {
  const { turns } = stateOf(dependencies);
  const mine = (turns.get(namespace) ?? Promise.resolve()).then(work);
  const ended = mine.catch(() => {});
  turns.set(namespace, ended);
  try {
    await mine;
  } finally {
    if (turns.get(namespace) === ended) turns.delete(namespace);
  }
}

async function quotasOf(namespace: string, dependencies: AdmissionDependencies): Promise<readonly Quota[]> {
  const { lister, client, clock } = dependencies;
  const known = lister(resourceQuotas).list({ namespace });
  // Objects often follow their quota at once: the informer may not show yet that the controller has initialized it.
  if (known.length > 0) return known.every(isTakenUp) ? known : (await client(resourceQuotas).list({ namespace })).items;
  const { empty } = stateOf(dependencies);
  if ((empty.get(namespace) ?? 0) >= clock.nowMs()) return [];
  const { items } = await client(resourceQuotas).list({ namespace });
  if (items.length === 0) bounded(empty, namespace, clock.nowMs() + emptyMs);
  return items;
}

function isTakenUp({ spec, status }: Quota): boolean {
  return isSemanticallyEqual(spec?.hard, status?.hard);
}

function remember(state: State, quota: ResourceQuota): void {
  bounded(state.written, quota.metadata.uid ?? '', quota);
}

function newest({ written }: State, quota: Quota): Quota {
  const own = written.get(quota.metadata.uid ?? '');
  const version = ({ metadata }: Quota) => Number(metadata.resourceVersion ?? 0);
  if (own && version(own) > version(quota) && keyOf(own).name === quota.metadata.name) return own;
  if (own) written.delete(quota.metadata.uid ?? '');
  return quota;
}

function bounded<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > maxRemembered && oldest !== undefined) map.delete(oldest);
}
