import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type KubeObject, type ObjectKey } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { defineResource } from '../../../api/resource/define-resource.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { replicationControllers } from '../../../api/resources/core/v1/replication-controller.ts';
import { resourceQuotas } from '../../../api/resources/core/v1/resource-quota.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import { countName, isQuotaResourceOf, type QuotaSubject } from '../../../api/semantics/quota/quota-usage.ts';
import type { ResourceQuota } from '../../../api/types/core-v1.ts';
import {
  type ControllerDependencies,
  defineController,
  done,
  requeueAfterSeconds,
  type ReconcileResult,
  type Watch,
} from '../runtime/define-controller.ts';
import { type Counted, isUpToDate, quotaStatus } from './quota-status.ts';
import { rules } from './rbac.ts';

/** The default of upstream's `--resource-quota-sync-period`. */
const resyncSeconds = 300;
/** Objects that are only counted are not watched; a quota that limits their number looks after them this often. */
const recountSeconds = 10;

const quotasIn = (object: DeepReadonly<KubeObject>, { lister }: ControllerDependencies): ObjectKey[] =>
  lister(resourceQuotas)
    .list({ namespace: object.metadata.namespace ?? '' })
    .map(keyOf);

/**
 * Watches objects whose deletion or change frees quota. New objects are counted by admission before they are stored: a recount at that
 * moment would miss them and undo the count.
 */
function givingBack<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  givesBack: (object: DeepReadonly<T>, old: DeepReadonly<T>) => boolean,
): Watch {
  return {
    attach(setup) {
      const enqueue = (object: DeepReadonly<T>) => {
        for (const key of quotasIn(object, setup)) setup.enqueue(key);
      };
      setup.informer(resource).addHandler({
        onDelete: enqueue,
        onUpdate: (object, old) => givesBack(object, old) && enqueue(object),
      });
    },
  };
}

/** Keeps the status of ResourceQuotas up to date with their spec and with the objects in their namespace. */
export const resourceQuotaController = defineController({
  name: 'resourcequota-controller',
  account: 'resourcequota-controller',
  for: resourceQuotas,
  concerns: (quota, old) => quota.metadata.generation !== old.metadata.generation || !isSemanticallyEqual(quota.spec, old.spec),
  watches: [
    givingBack(pods, (pod, old) => isPodFinished(pod) !== isPodFinished(old) || pod.metadata.generation !== old.metadata.generation),
    givingBack(
      services,
      (service, old) => service.metadata.generation !== old.metadata.generation || service.spec?.type !== old.spec?.type,
    ),
    givingBack(persistentVolumeClaims, () => true),
    givingBack(replicationControllers, () => false),
    givingBack(resourceClaims, () => false),
  ],
  reads: [customResourceDefinitions],
  spacing: 3,
  rules,
  reconcile,
});

async function reconcile(key: ObjectKey, dependencies: ControllerDependencies): Promise<ReconcileResult> {
  const { client, lister, clock } = dependencies;
  if (!lister(resourceQuotas).find(key)) return done;
  // Usage that admission has counted since is overwritten only if it is known.
  const { items } = await client(resourceQuotas).list({ namespace: key.namespace, fieldSelector: `metadata.name=${key.name}` });
  const [quota] = items;
  if (!quota || quota.metadata.deletionTimestamp) return done;
  const { counted, isPolled } = await countAll(quota, dependencies);
  const status = quotaStatus(quota, counted, clock.nowMs());
  if (!isUpToDate(quota, status))
    await ignoreNotFound(client(resourceQuotas).updateStatus({ ...mutableCopy<ResourceQuota>(quota), status }));
  return requeueAfterSeconds(isPolled ? recountSeconds : resyncSeconds);
}

async function countAll(
  quota: ResourceQuota,
  { client, lister }: ControllerDependencies,
): Promise<{ readonly counted: Counted[]; readonly isPolled: boolean }> {
  const names = Object.keys(quota.spec?.hard ?? {});
  const { namespace = '' } = quota.metadata;
  const isConcerned = (subject: QuotaSubject) => names.some((name) => isQuotaResourceOf(subject, name));
  const counted: Counted[] = [];
  const add = <T extends KubeObject>(resource: ResourceDefinition<T>) => {
    const subject = subjectOf(resource);
    if (isConcerned(subject)) counted.push({ subject, objects: lister(resource).list({ namespace }) });
  };
  add(pods);
  add(services);
  add(persistentVolumeClaims);
  add(replicationControllers);
  add(resourceClaims);
  const isWatched = new Set(counted.map(({ subject }) => countName(subject)));
  let isPolled = false;
  for (const resource of [...catalog, ...customResources(lister(customResourceDefinitions).list())]) {
    const subject = subjectOf(resource);
    if (resource.scope === 'Cluster' || resource.storagePrefix === undefined || resource.storageVersion !== undefined) continue;
    if (!isConcerned(subject) || isWatched.has(countName(subject))) continue;
    const page = await client(resource).list({ namespace, limit: 1 });
    counted.push({ subject, count: page.items.length + (page.metadata.remainingItemCount ?? 0) });
    isPolled = true;
  }
  return { counted, isPolled };
}

/** The resources of CustomResourceDefinitions, each in one version. */
function customResources(definitions: readonly DeepReadonly<CustomResourceDefinition>[]): ResourceDefinition[] {
  return definitions.flatMap((definition) => {
    const { spec, status } = definition;
    const version = spec.versions.find(({ served }) => served);
    if (!version || !isConditionTrue(status?.conditions ?? [], 'Established')) return [];
    const { kind, plural } = status?.acceptedNames ?? spec.names;
    const scope = spec.scope === 'Cluster' ? 'Cluster' : 'Namespaced';
    const storagePrefix = `${spec.group}/${plural}`;
    return defineResource({ group: spec.group, version: version.name, scope, names: { kind, plural }, definition: '', storagePrefix });
  });
}

function subjectOf({ group, names }: Pick<ResourceDefinition, 'group' | 'names'>): QuotaSubject {
  return { group, resource: names.plural };
}
