import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import { referenceTo } from '../../api/client/events/event-recorder.ts';
import type { Informer, InformerFactory } from '../../api/client/informers/informer.ts';
import { formatKey, keyOf, type KubeObject } from '../../api/meta/object.ts';
import { hasReason, StatusError } from '../../api/meta/status.ts';
import { formatTime } from '../../api/meta/time.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { isPodFinished } from '../../api/semantics/pods/pod-phase.ts';
import type { Pod, PodCondition } from '../../api/types/core-v1.ts';
import { createSchedulerCache, type SchedulerCache } from './cache/scheduler-cache.ts';
import { type WatchedCluster, watchCluster } from './cache/watch-cluster.ts';
import { findNode } from './framework/find-node.ts';
import { type FitFailure, formatFitFailure } from './framework/fit-error.ts';
import type { Reservation } from './framework/framework.ts';
import { findPreemption, type Preemption } from './framework/preempt.ts';
import { preempt } from './preemption.ts';
import { bindClaims, deallocate, releaseClaims } from './devices/bind-claims.ts';
import { createSchedulingQueue, type QueuedPod, type SchedulingQueue } from './queue/scheduling-queue.ts';
import { bindVolumes } from './volumes/bind-volumes.ts';
import type { SchedulerDependencies } from './scheduler-dependencies.ts';

const defaultSchedulerName = 'default-scheduler';

/**
 * Gives every pod that names this scheduler a node, one pod at a time: choosing is synchronous and pure (findNode), the
 * binding goes on in the background while the next pod is looked at. Runs until the signal is aborted.
 */
export async function runScheduler(dependencies: SchedulerDependencies, signal: AbortSignal): Promise<void> {
  const { informers, clock, random, plugins, logger } = dependencies;
  const cache = createSchedulerCache(clock);
  const retryOn = new Map(plugins.map((plugin) => [plugin.name, new Set(plugin.retryOn)]));
  const watched: { devices?: WatchedCluster['devices'] } = {};
  const queue = createSchedulingQueue({
    clock,
    mayHelp: (plugin, event) => retryOn.get(plugin)?.has(event) ?? true,
    findGate(pod) {
      const { devices } = watched;
      // Until the claims are watched there is no answer.
      return devices && plugins.find((plugin) => plugin.preEnqueue?.(pod, devices.state) !== undefined)?.name;
    },
  });
  const isMine = (pod: DeepReadonly<Pod>) => (pod.spec?.schedulerName ?? defaultSchedulerName) === defaultSchedulerName;
  const used = new Set<Informer<KubeObject>>();
  const cluster = watchCluster({ informers: noteUse(informers, used), cache, queue, isMine });
  watched.devices = cluster.devices;
  signal.addEventListener('abort', () => queue.close(), { once: true });
  // Informers of others who share the factory may take longer, or for ever.
  await Promise.all([...used].map((informer) => informer.synced(signal)));

  const bindings = new Set<Promise<void>>();
  for (let queued = await queue.next(); queued; queued = await queue.next()) {
    if (signal.aborted) break;
    const { pod } = queued;
    if (pod.metadata.deletionTimestamp || isPodFinished(pod) || cache.isAssumed(pod) || !cluster.isPending(pod)) continue;
    dependencies.onBegin?.(formatKey(keyOf(pod)));
    const found = findNode(plugins, pod, cluster.state(), random);
    if ('failure' in found) {
      await putBack(dependencies, { cache, queue, cluster }, queued, found.failure).catch((error: unknown) =>
        logger.warn('could not make room for an unschedulable pod, or report it', { pod: formatKey(keyOf(pod)), error }),
      );
      continue;
    }
    const reservations = plugins.flatMap((plugin) => plugin.reserve?.(pod, found.node, cluster.state()) ?? []);
    cache.assume({ ...pod, spec: { containers: [], ...pod.spec, nodeName: found.node.name } }, found.node.name);
    for (const reservation of reservations) assume(cluster, reservation);
    const binding = prepareAndBind(dependencies, cluster, queued, found.node.name, reservations, signal).then(
      () => cache.finishBinding(pod),
      async (error: unknown) => {
        cache.forget(pod);
        await unreserve(dependencies, cluster, pod, reservations);
        if (hasReason(error, 'NotFound')) return queue.remove(pod);
        logger.warn('binding failed', { pod: queued.key, node: found.node.name, error });
        queue.putBackAfterError(queued);
        queue.onEvent('PodDelete');
      },
    );
    bindings.add(binding);
    void binding.finally(() => bindings.delete(binding));
  }
  await Promise.all(bindings);
}

/** The same informers; those that are asked for are added to `used`. */
function noteUse(informers: InformerFactory, used: Set<Informer<KubeObject>>): InformerFactory {
  return {
    ...informers,
    informer(resource, options) {
      const informer = informers.informer(resource, options);
      used.add(informer as unknown as Informer<KubeObject>);
      return informer;
    },
  };
}

function assume({ storage, devices }: WatchedCluster, reservation: Reservation): void {
  if (reservation.kind === 'volumes') storage.assume(reservation);
  else devices.assume(reservation);
}

function forget({ storage, devices }: WatchedCluster, reservation: Reservation): void {
  if (reservation.kind === 'volumes') storage.forget(reservation);
  else devices.forget(reservation);
}

interface Surroundings {
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly cluster: WatchedCluster;
}

/** Handles a pod that fits nowhere now: tries preemption, and puts it back into the queue. */
async function putBack(
  dependencies: SchedulerDependencies,
  { cache, queue, cluster }: Surroundings,
  queued: QueuedPod,
  failure: FitFailure,
): Promise<void> {
  const { plugins, random, client } = dependencies;
  const { pod } = queued;
  if (failure.error !== undefined) {
    queue.putBackAfterError(queued);
    return reportUnschedulable(dependencies, pod, failure.error, { reason: 'SchedulerError' });
  }
  const after = plugins.flatMap((plugin) => plugin.postFilter?.(pod, failure, cluster.state()) ?? []);
  const preemption = findPreemption(plugins, pod, cluster.state(), failure, cluster.budgets(), random);
  if ('node' in preemption) cache.nominate(pod, preemption.node.name);
  queue.putBackUnschedulable(queued, failure.plugins);
  for (const { idle } of after) if (idle !== undefined) await deallocate(client, idle);
  await giveUp(dependencies, cache, pod, failure, preemption, after.map(({ message }) => `${message}, `).join(''));
}

/** Handles a pod that fits nowhere: preempts others for it if possible, and records the reason in its condition and an event. */
async function giveUp(
  dependencies: SchedulerDependencies,
  cache: SchedulerCache,
  pod: DeepReadonly<Pod>,
  failure: FitFailure,
  preemption: Preemption | { readonly message: string },
  before: string,
): Promise<void> {
  const refused = formatFitFailure(failure);
  if ('message' in preemption) {
    const tail = failure.nodeCount === 0 ? '' : ` ${before}preemption: ${preemption.message}`;
    return reportUnschedulable(dependencies, pod, `${refused}${tail}`);
  }
  try {
    await preempt(dependencies, cache, pod, preemption);
  } catch (error) {
    cache.withdraw(pod);
    throw error;
  }
  await reportUnschedulable(dependencies, pod, refused, { nominatedNodeName: preemption.node.name });
}

/** Binds the pod after its claims have their devices and its volumes are there, if any have to be waited for. */
async function prepareAndBind(
  dependencies: SchedulerDependencies,
  { storage, devices, isPending }: WatchedCluster,
  queued: QueuedPod,
  nodeName: string,
  reservations: readonly Reservation[],
  signal: AbortSignal,
): Promise<void> {
  const { pod } = queued;
  for (const reservation of reservations) {
    try {
      if (reservation.kind === 'volumes') await bindVolumes({ ...dependencies, storage, isPending }, pod, nodeName, reservation, signal);
      else await bindClaims({ ...dependencies, devices }, pod, reservation);
    } catch (error) {
      if (!signal.aborted && isPending(pod)) {
        const plugin = reservation.kind === 'volumes' ? '"VolumeBinding": binding volumes' : '"DynamicResources"';
        const message = `running PreBind plugin ${plugin}: ${error instanceof Error ? error.message : String(error)}`;
        dependencies.recorder.event(referenceTo(pods, pod), 'Warning', 'FailedScheduling', message);
      }
      throw error;
    }
  }
  await bind(dependencies, queued, nodeName);
}

/** Gives back the resources that were reserved for a pod that does not get there. */
async function unreserve(
  dependencies: SchedulerDependencies,
  cluster: WatchedCluster,
  pod: DeepReadonly<Pod>,
  reservations: readonly Reservation[],
): Promise<void> {
  for (const reservation of reservations) {
    if (reservation.kind === 'devices') {
      await releaseClaims({ ...dependencies, devices: cluster.devices }, pod, reservation).catch((error: unknown) =>
        dependencies.logger.warn('claims stay reserved for a pod that was not bound', { pod: formatKey(keyOf(pod)), error }),
      );
    }
    forget(cluster, reservation);
  }
}

async function bind({ client, recorder }: SchedulerDependencies, queued: QueuedPod, nodeName: string): Promise<void> {
  const { pod } = queued;
  const { name = '', namespace = '', uid } = pod.metadata;
  await client(pods).createSubresource({ namespace, name }, 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, ...(uid === undefined ? {} : { uid }) },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  });
  recorder.event(referenceTo(pods, pod), 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`);
}

/** Event FailedScheduling, and the condition PodScheduled=False with the same message, written only when it changes. */
async function reportUnschedulable(
  { client, recorder, clock }: SchedulerDependencies,
  pod: DeepReadonly<Pod>,
  message: string,
  { nominatedNodeName, reason = 'Unschedulable' }: { readonly nominatedNodeName?: string; readonly reason?: string } = {},
): Promise<void> {
  recorder.event(referenceTo(pods, pod), 'Warning', 'FailedScheduling', message);
  const current = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const isTold = current?.status === 'False' && current.reason === reason && current.message === message;
  if (isTold && (nominatedNodeName === undefined || pod.status?.nominatedNodeName === nominatedNodeName)) return;
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    lastTransitionTime: current?.status === 'False' && current.lastTransitionTime ? current.lastTransitionTime : formatTime(clock.nowMs()),
  };
  try {
    const status = { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) };
    await client(pods).patch(keyOf(pod), { type: 'strategic', body: { status } }, { subresource: 'status' });
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  }
}
