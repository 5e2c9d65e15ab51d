import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { leases } from '../../../api/resources/coordination/v1/lease.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { findNodeCondition } from '../../../api/semantics/nodes/node-conditions.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Node, NodeCondition, Pod, Taint } from '../../../api/types/core-v1.ts';
import {
  type Controller,
  type ControllerSetup,
  defineController,
  done,
  type ReconcileResult,
  requeueAfterSeconds,
} from '../runtime/define-controller.ts';
import { conditionsOfSilentNode } from './node-conditions.ts';
import { hasNoExecute, taintsOf, wantedNoExecute } from './node-taints.ts';
import { rules } from './rbac.ts';
import { evictionRate, zoneOf } from './zone-disruption.ts';

const checkSeconds = 5;
/** The default times for which a kubelet may be silent, and for which a newly registered one may be. */
const defaultGraceMs = 50_000;
const startupGraceMs = 60_000;
const leaseNamespace = 'kube-node-lease';
const byNode = 'node';

/** When a node was last heard of, by our clock: theirs may be wrong. */
interface Sign {
  readonly of: string;
  readonly atMs: number;
}

interface Parts {
  readonly graceMs: number;
  readonly setup: ControllerSetup;
  readonly heartbeats: Map<string, Sign>;
  readonly renewals: Map<string, Sign>;
  /** By zone: when the next node may be emptied. */
  readonly nextEvictionMs: Map<string, number>;
}

export interface NodeLifecycleOptions {
  /** How long a node may be silent before it counts as not ready. */
  readonly nodeMonitorGraceMs?: number;
}

/** Watches whether nodes are alive, and taints those that are not, so that no new Pods go there and the present ones are evicted. */
export function createNodeLifecycleController({ nodeMonitorGraceMs: graceMs = defaultGraceMs }: NodeLifecycleOptions): Controller {
  return defineController({
    name: 'node-lifecycle-controller',
    account: 'node-controller',
    component: 'node-controller',
    for: nodes,
    workers: 8,
    rules,
    setUp(setup) {
      const parts: Parts = { graceMs, setup, heartbeats: new Map(), renewals: new Map(), nextEvictionMs: new Map() };
      const note = (signs: Map<string, Sign>, name: string, of: string) => {
        if (signs.get(name)?.of !== of) signs.set(name, { of, atMs: setup.clock.monotonicMs() });
      };
      const renewed = ({
        metadata,
        spec,
      }: {
        readonly metadata: { readonly namespace?: string; readonly name?: string };
        readonly spec?: { readonly renewTime?: string | null };
      }) => {
        if (metadata.namespace === leaseNamespace) note(parts.renewals, metadata.name ?? '', spec?.renewTime ?? '');
      };
      setup.informer(leases).addHandler({ onAdd: renewed, onUpdate: renewed });
      const heard = (node: DeepReadonly<Node>) => note(parts.heartbeats, node.metadata.name ?? '', heartbeatOf(node));
      setup.informer(nodes).addHandler({
        onAdd(node) {
          heard(node);
          const { name } = node.metadata;
          setup.events.event(
            referenceTo(nodes, node),
            'Normal',
            'RegisteredNode',
            `Node ${name} event: Registered Node ${name} in Controller`,
          );
        },
        onUpdate: heard,
        onDelete(node) {
          const { name = '' } = node.metadata;
          parts.heartbeats.delete(name);
          parts.renewals.delete(name);
          setup.events.event(
            referenceTo(nodes, node),
            'Normal',
            'RemovingNode',
            `Node ${name} event: Removing Node ${name} from Controller`,
          );
        },
      });
      setup.informer(pods).addIndex(byNode, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
      return ({ name }) => reconcile(parts, name);
    },
  });
}

/** A value that changes whenever the kubelet updates the node's conditions. */
function heartbeatOf(node: DeepReadonly<Node>): string {
  const ready = findNodeCondition(node, 'Ready');
  return `${ready?.status} ${ready?.lastHeartbeatTime} ${ready?.lastTransitionTime}`;
}

async function reconcile(parts: Parts, name: string): Promise<ReconcileResult> {
  const { setup, heartbeats, renewals } = parts;
  const { lister, clock, client } = setup;
  const cached = lister(nodes).find({ namespace: '', name });
  if (cached === undefined) return done;
  const now = formatTime(clock.nowMs());
  const lastMs = Math.max(heartbeats.get(name)?.atMs ?? 0, renewals.get(name)?.atMs ?? 0);
  const grace = findNodeCondition(cached, 'Ready') === undefined ? startupGraceMs : parts.graceMs;
  let node = cached;
  if (clock.monotonicMs() - lastMs > grace) {
    const conditions = conditionsOfSilentNode(cached, now);
    if (conditions !== cached.status?.conditions) {
      const copy = mutableCopy<Node>(cached);
      const written = await client(nodes).updateStatus({
        ...copy,
        status: { ...copy.status, conditions: [...conditions] as NodeCondition[] },
      });
      if (findNodeCondition(cached, 'Ready')?.status === 'True') await declareNotReady(setup, written);
      node = written;
    }
  }
  await syncTaints(parts, node, now);
  return requeueAfterSeconds(checkSeconds);
}

/** Marks the Pods of a lost node as not ready: they get no more traffic. */
async function declareNotReady({ client, events, lister, clock }: ControllerSetup, node: DeepReadonly<Node>): Promise<void> {
  const { name = '' } = node.metadata;
  events.event(referenceTo(nodes, node), 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
  const now = formatTime(clock.nowMs());
  for (const pod of lister(pods).byIndex(byNode, name)) {
    if (!isPodReady(pod)) continue;
    const copy = mutableCopy<Pod>(pod);
    const conditions = (copy.status?.conditions ?? []).map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False' as const, lastTransitionTime: now } : condition,
    );
    await ignoreNotFound(client(pods).updateStatus({ ...copy, status: { ...copy.status, conditions } }));
    events.event(referenceTo(pods, pod), 'Warning', 'NodeNotReady', 'Node is not ready');
  }
}

async function syncTaints({ setup, nextEvictionMs }: Parts, node: DeepReadonly<Node>, now: string): Promise<void> {
  const { lister, clock, client } = setup;
  const wanted = wantedNoExecute(node);
  const zone = zoneOf(node);
  const rate = wanted === undefined ? 0 : evictionRate(zone, lister(nodes).list());
  let evict = rate > 0 ? wanted : undefined;
  if (evict !== undefined && !hasNoExecute(node, evict)) {
    // Emptying nodes is spread over time. A node that is already being emptied only changes the reason.
    const isNew = !(node.spec?.taints ?? []).some((taint) => taint.effect === 'NoExecute' && taint.key.startsWith('node.kubernetes.io/'));
    if (isNew && clock.monotonicMs() < (nextEvictionMs.get(zone) ?? 0)) evict = undefined;
    else if (isNew) nextEvictionMs.set(zone, clock.monotonicMs() + 1000 / rate);
  }
  const taints = taintsOf(node, evict, now);
  if (isEqual(taints, node.spec?.taints ?? [])) return;
  const { uid, resourceVersion } = node.metadata;
  const body = { metadata: { uid, resourceVersion }, spec: { taints: taints as Taint[] } };
  await ignoreNotFound(client(nodes).patch(keyOf(node), { type: 'merge', body }));
}
