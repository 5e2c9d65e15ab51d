import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { formatKey, keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { controllerRevisions } from '../../../api/resources/apps/v1/controller-revision.ts';
import { daemonSets } from '../../../api/resources/apps/v1/daemon-set.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isEmptyLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { ControllerRevision, DaemonSet } from '../../../api/types/apps-v1.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { claimDependents } from '../runtime/claim-dependents.ts';
import { cleanRevisions, ensureRevision, RevisionCollision, revisionHashLabel } from '../runtime/controller-revisions.ts';
import {
  type ControllerSetup,
  defineController,
  done,
  owning,
  type ReconcileResult,
  requeueAfterSeconds,
  watching,
} from '../runtime/define-controller.ts';
import { dependentsAndOrphans, indexByController } from '../runtime/dependents.ts';
import { Expectations } from '../runtime/expectations.ts';
import { followPods } from '../runtime/follow-pods.ts';
import { createPod, deletePod, isNamespaceTerminating } from '../runtime/pod-control.ts';
import { slowStart } from '../runtime/slow-start.ts';
import { isSameStatus } from '../runtime/status-equality.ts';
import { daemonPod } from './daemon-pod.ts';
import { type DaemonInput, type DaemonPlan, daemonStatus, planPlacement, planUpdate } from './daemon-plan.ts';
import { rules } from './rbac.ts';

const burst = 250;
/** A failed Pod of a node is replaced after 1 s, the next after twice as long, up to 15 minutes. */
const backoffBaseMs = 1000;
const backoffMaxMs = 900_000;

interface Parts {
  readonly setup: ControllerSetup;
  readonly expectations: Expectations;
  /** The failed Pods of each set and node, which delay the next try there. */
  readonly failures: Map<string, { count: number; atMs: number }>;
}

/** Runs one Pod of a DaemonSet on every node that it applies to. */
export const daemonSetController = defineController({
  name: 'daemonset-controller',
  account: 'daemon-set-controller',
  for: daemonSets,
  watches: [
    owning(controllerRevisions, daemonSets),
    watching(nodes, (_node, { lister }) => lister(daemonSets).list().map(keyOf), hasPlacementChanged),
  ],
  workers: 2,
  rules,
  setUp(setup) {
    const expectations = new Expectations(setup.clock);
    indexByController(setup.informer(pods));
    indexByController(setup.informer(controllerRevisions));
    followPods(setup, {
      resource: daemonSets,
      expectations,
      selectorOf: (set) => set.spec?.selector,
      minReadySecondsOf: (set) => set.spec?.minReadySeconds ?? 0,
    });
    const parts: Parts = { setup, expectations, failures: new Map() };
    return (key) => reconcile(parts, key);
  },
});

/** Nodes report their state all the time; only this matters here. */
function hasPlacementChanged(node: DeepReadonly<Node>, old: DeepReadonly<Node>): boolean {
  return !isEqual(node.metadata.labels, old.metadata.labels) || !isEqual(node.spec?.taints, old.spec?.taints);
}

async function reconcile(parts: Parts, key: ObjectKey): Promise<ReconcileResult> {
  const { setup, expectations } = parts;
  const set = setup.lister(daemonSets).find(key);
  if (set === undefined) {
    expectations.forget(formatKey(key));
    return done;
  }
  if (isEmptyLabelSelector(set.spec?.selector)) {
    const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
    setup.events.event(referenceTo(daemonSets, set), 'Warning', 'SelectingAll', message);
    return done;
  }
  if (set.metadata.deletionTimestamp !== undefined) return done;
  const revisions = await claim<ControllerRevision>(parts, set, controllerRevisions);
  const revision = await ensureCurrentRevision(parts, set, revisions);
  const hash = revision.metadata.labels?.[revisionHashLabel] ?? '';
  const isUpdating = set.spec?.updateStrategy?.type === 'RollingUpdate';
  const input = async (): Promise<DaemonInput> => ({
    set,
    nodes: setup.lister(nodes).list(),
    pods: await claim<Pod>(parts, set, pods),
    hash,
    nowMs: setup.clock.nowMs(),
  });
  let waitSeconds: number | undefined;
  if (expectations.isSatisfied(formatKey(key))) {
    const present = await input();
    const plan = planPlacement(present);
    const finished = takeFinished(parts, set, plan.finished, present.nowMs);
    waitSeconds = finished.waitSeconds;
    await perform(parts, set, hash, { ...plan, delete: [...plan.delete, ...finished.delete] });
    // The update goes on only after the informer has shown the Pods that were just created.
    if (isUpdating && expectations.isSatisfied(formatKey(key))) await perform(parts, set, hash, planUpdate(await input()));
  }
  const after = await input();
  const live = new Set(after.pods.map((pod) => pod.metadata.labels?.[revisionHashLabel]));
  const isLive = (one: DeepReadonly<ControllerRevision>) =>
    one.metadata.uid === revision.metadata.uid || live.has(one.metadata.labels?.[revisionHashLabel]);
  await cleanRevisions(setup.client, revisions, set.spec?.revisionHistoryLimit ?? 10, isLive);
  const { status, waitSeconds: untilAvailable } = daemonStatus(after);
  if (!isSameStatus(status, set.status)) {
    await setup.client(daemonSets).updateStatus({ ...mutableCopy<DaemonSet>(set), status });
  }
  const waits = [waitSeconds, untilAvailable].filter((wait) => wait !== undefined);
  return waits.length > 0 ? requeueAfterSeconds(Math.min(...waits)) : done;
}

async function claim<T extends Pod | ControllerRevision>(
  { setup }: Parts,
  set: DeepReadonly<DaemonSet>,
  resource: Parameters<typeof claimDependents<DaemonSet, T>>[0]['resource'],
): Promise<DeepReadonly<T>[]> {
  return await claimDependents<DaemonSet, T>({
    client: setup.client,
    owner: set,
    ownerResource: daemonSets,
    selector: set.spec?.selector,
    resource,
    objects: dependentsAndOrphans(setup.informer(resource), set),
  });
}

async function ensureCurrentRevision(
  { setup }: Parts,
  set: DeepReadonly<DaemonSet>,
  revisions: readonly DeepReadonly<ControllerRevision>[],
): Promise<DeepReadonly<ControllerRevision>> {
  const { client } = setup;
  const template = set.spec?.template ?? {};
  const collisionCount = set.status?.collisionCount;
  try {
    return await ensureRevision({ client, owner: set, resource: daemonSets, template, collisionCount }, revisions);
  } catch (error) {
    if (error instanceof RevisionCollision) {
      const copy = mutableCopy<DaemonSet>(set);
      const status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0, ...copy.status };
      await client(daemonSets).updateStatus({ ...copy, status: { ...status, collisionCount: (collisionCount ?? 0) + 1 } });
    }
    throw error;
  }
}

/** The finished Pods to delete now, and the time at which to look at the others again. */
function takeFinished(
  { setup, failures }: Parts,
  set: DeepReadonly<DaemonSet>,
  finished: readonly DeepReadonly<Pod>[],
  nowMs: number,
): { readonly delete: readonly DeepReadonly<Pod>[]; readonly waitSeconds: number | undefined } {
  const taken: DeepReadonly<Pod>[] = [];
  let waitMs: number | undefined;
  for (const pod of finished) {
    const node = pod.spec?.nodeName ?? '';
    const { namespace, name } = pod.metadata;
    if (pod.status?.phase === 'Succeeded') {
      const message = `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`;
      setup.events.event(referenceTo(daemonSets, set), 'Normal', 'SucceededDaemonPod', message);
      taken.push(pod);
      continue;
    }
    const key = `${set.metadata.uid}/${node}`;
    const before = failures.get(key);
    const delayMs = before === undefined ? 0 : Math.min(backoffBaseMs * 2 ** (before.count - 1), backoffMaxMs);
    const remainingMs = before === undefined ? 0 : before.atMs + delayMs - nowMs;
    if (remainingMs > 0) {
      waitMs = Math.min(waitMs ?? remainingMs, remainingMs);
      continue;
    }
    const isLongAgo = before !== undefined && nowMs - before.atMs > 2 * backoffMaxMs;
    failures.set(key, { count: isLongAgo ? 1 : (before?.count ?? 0) + 1, atMs: nowMs });
    const message = `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`;
    setup.events.event(referenceTo(daemonSets, set), 'Warning', 'FailedDaemonPod', message);
    taken.push(pod);
  }
  return { delete: taken, waitSeconds: waitMs === undefined ? undefined : waitMs / 1000 };
}

async function perform(
  { setup, expectations }: Parts,
  set: DeepReadonly<DaemonSet>,
  hash: string,
  plan: Omit<DaemonPlan, 'finished'>,
): Promise<void> {
  const id = formatKey(keyOf(set));
  const create = plan.create.slice(0, burst);
  const victims = plan.delete.slice(0, burst);
  if (create.length === 0 && victims.length === 0) return;
  expectations.expect(
    id,
    create.length,
    victims.map((pod) => pod.metadata.uid ?? ''),
  );
  const { succeeded, error } = await slowStart(create.length, async (index) => {
    try {
      await createPod(setup, daemonPod(set, create[index] ?? '', hash), set, daemonSets);
    } catch (problem) {
      if (!isNamespaceTerminating(problem)) throw problem;
      expectations.creationObserved(id);
    }
  });
  for (let skipped = create.length - succeeded; skipped > 0; skipped--) expectations.creationObserved(id);
  const results = await Promise.allSettled(
    victims.map(async (pod) => {
      try {
        await deletePod(setup, pod, set, daemonSets);
      } catch (problem) {
        expectations.deletionObserved(id, pod.metadata.uid ?? '');
        if (!hasReason(problem, 'NotFound')) throw problem;
      }
    }),
  );
  if (error !== undefined) throw error;
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
