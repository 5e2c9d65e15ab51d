import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { InformerFactory, Lister } from '../../../api/client/informers/informer.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { keyOf } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { replicationControllers } from '../../../api/resources/core/v1/replication-controller.ts';
import { podDisruptionBudgets } from '../../../api/resources/policy/v1/pod-disruption-budget.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { matchesLabelMap } from '../../../api/selectors/label-selectors.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import type { PodDisruptionBudget } from '../../../api/types/policy-v1.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import type { SchedulingQueue } from '../queue/scheduling-queue.ts';
import type { SchedulerCache } from './scheduler-cache.ts';
import { type WatchedDevices, watchDevices } from './watch-devices.ts';
import { type WatchedStorage, watchStorage } from './watch-storage.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

interface WatchClusterOptions {
  readonly informers: InformerFactory;
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly isMine: (pod: DeepReadonly<Pod>) => boolean;
}

export interface WatchedCluster {
  readonly storage: WatchedStorage;
  readonly devices: WatchedDevices;
  state(): ClusterState;
  budgets(): readonly DeepReadonly<PodDisruptionBudget>[];
  /** Whether the newest known state of the pod still has no node. */
  isPending(pod: DeepReadonly<Pod>): boolean;
}

/** Keeps cache and queue in step with the cluster. */
export function watchCluster({ informers, cache, queue, isMine }: WatchClusterOptions): WatchedCluster {
  const podInformer = informers.informer(pods);
  const hasNode = (pod: DeepReadonly<Pod>) => (pod.spec?.nodeName ?? '') !== '';
  const upsertPod = (pod: DeepReadonly<Pod>, old: DeepReadonly<Pod> | undefined) => {
    if (isPodFinished(pod)) {
      if (old && !isPodFinished(old)) removePod(old);
    } else if (hasNode(pod)) {
      cache.setPod(pod);
      if (!old || !hasNode(old)) queue.remove(pod);
      queue.onEvent(old && hasNode(old) ? 'PodUpdate' : 'PodAdd');
    } else if (isMine(pod) && !pod.metadata.deletionTimestamp && !cache.isAssumed(pod)) {
      followNomination(cache, pod, old);
      queue.addOrUpdate(pod);
    }
  };
  const removePod = (pod: DeepReadonly<Pod>) => {
    queue.remove(pod);
    cache.removePod(pod);
    if (hasNode(pod)) queue.onEvent('PodDelete');
  };
  podInformer.addHandler({ onAdd: (pod) => upsertPod(pod, undefined), onUpdate: upsertPod, onDelete: removePod });

  informers.informer(nodes).addHandler({
    onAdd(node) {
      cache.setNode(node);
      queue.onEvent('NodeAdd');
    },
    onUpdate(node, old) {
      cache.setNode(node);
      if (schedulingRelevant(node) !== schedulingRelevant(old)) queue.onEvent('NodeUpdate');
    },
    onDelete(node) {
      cache.removeNode(node.metadata.name ?? '');
      queue.onEvent('NodeDelete');
    },
  });
  const storage = watchStorage(informers, queue);
  const devices = watchDevices(informers, queue);
  const budgets = informers.informer(podDisruptionBudgets).lister;
  const namespaceLister = informers.informer(namespaces).lister;
  const selectorsOf = createSelectorFinder(informers);

  return {
    storage,
    devices,
    isPending(pod) {
      const newest = podInformer.lister.find(keyOf(pod));
      return newest !== undefined && !hasNode(newest) && newest.metadata.uid === pod.metadata.uid;
    },
    budgets: () => budgets.list(),
    state: () => ({
      nodes: cache.nodes(),
      nominatedOn: cache.nominatedOn,
      findNode: cache.findNode,
      findNamespace: (name) => namespaceLister.find({ namespace: '', name }),
      ...storage.state(),
      ...devices.state,
      selectorsOf,
    }),
  };
}

/** Follows a nomination: the status counts, unless it is unchanged: the promise may have been made just now. */
function followNomination(cache: SchedulerCache, pod: DeepReadonly<Pod>, old: DeepReadonly<Pod> | undefined): void {
  const [nodeName, before] = [pod.status?.nominatedNodeName ?? '', old?.status?.nominatedNodeName ?? ''];
  if (nodeName !== '') cache.nominate(pod, nodeName);
  else if (before !== '') cache.withdraw(pod);
}

/** Heartbeats change a node's status all the time; only these parts can make a pod fit. */
function schedulingRelevant(node: DeepReadonly<Node>): string {
  const conditions = node.status?.conditions?.map(({ type, status }) => [type, status]);
  return formatJSON([node.spec, node.metadata.labels, node.status?.allocatable, conditions]);
}

function createSelectorFinder(informers: InformerFactory): ClusterState['selectorsOf'] {
  const selectorOf = <T extends KubeObject>(
    resource: ResourceDefinition<T>,
    selector: (object: DeepReadonly<T>) => Readonly<Record<string, string>> | undefined,
  ) => {
    const lister: Lister<T> = informers.informer(resource).lister;
    return (namespace: string, labels: Readonly<Record<string, string>>) =>
      lister.list({ namespace }).flatMap((object) => {
        const wanted = selector(object);
        return wanted && Object.keys(wanted).length > 0 && matchesLabelMap(wanted, labels) ? [wanted] : [];
      });
  };
  const finders = [
    selectorOf(services, (service) => service.spec?.selector),
    selectorOf(replicationControllers, (controller) => controller.spec?.selector),
    selectorOf(replicaSets, (set) => set.spec?.selector.matchLabels),
    selectorOf(statefulSets, (set) => set.spec?.selector.matchLabels),
  ];
  return (pod) => finders.flatMap((find) => find(pod.metadata.namespace ?? '', pod.metadata.labels ?? {}));
}
