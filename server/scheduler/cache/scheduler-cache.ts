import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { createNodeInfo, type NodeInfo, podKey } from './node-info.ts';

/**
 * The scheduler's view of nodes and pods: the informers' objects, plus pods it has just placed itself and whose binding has not
 * come back yet ("assumed"), so that the next pod does not take their room.
 */
export interface SchedulerCache {
  setNode(node: DeepReadonly<Node>): void;
  removeNode(name: string): void;
  /** Adds a pod that has a node, from the informer; it replaces an assumed one. */
  setPod(pod: DeepReadonly<Pod>): void;
  removePod(pod: DeepReadonly<Pod>): void;
  /** Takes the pod's room on the node from now on. */
  assume(pod: DeepReadonly<Pod>, nodeName: string): void;
  /** The binding was made: if the informer does not confirm it in time, the room is free again. */
  finishBinding(pod: DeepReadonly<Pod>): void;
  /** The binding failed. */
  forget(pod: DeepReadonly<Pod>): void;
  /** Promises a node to a pod that waits for its victims to go; a promise ends when the pod is placed or removed. */
  nominate(pod: DeepReadonly<Pod>, nodeName: string): void;
  withdraw(pod: DeepReadonly<Pod>): void;
  nominatedOn(nodeName: string): readonly DeepReadonly<Pod>[];
  isAssumed(pod: DeepReadonly<Pod>): boolean;
  nodes(): readonly NodeInfo[];
  findNode(name: string): NodeInfo | undefined;
}

/** How long a made binding may take to come back through the watch. */
const confirmWithinMs = 30_000;

interface Placed {
  readonly pod: DeepReadonly<Pod>;
  readonly nodeName: string;
  readonly assumed: boolean;
  expiry?: Timer;
}

export function createSchedulerCache(clock: Clock): SchedulerCache {
  const nodes = new Map<string, DeepReadonly<Node>>();
  const placed = new Map<string, Placed>();
  const podsOf = new Map<string, Map<string, DeepReadonly<Pod>>>();
  const nominations = new Map<string, { readonly pod: DeepReadonly<Pod>; readonly nodeName: string }>();
  const infos = new Map<string, NodeInfo>();
  let list: readonly NodeInfo[] | undefined;

  function changed(nodeName: string): void {
    infos.delete(nodeName);
    list = undefined;
  }

  function place(pod: DeepReadonly<Pod>, nodeName: string, assumed: boolean): void {
    unplace(podKey(pod));
    nominations.delete(podKey(pod));
    placed.set(podKey(pod), { pod, nodeName, assumed });
    let pods = podsOf.get(nodeName);
    if (!pods) podsOf.set(nodeName, (pods = new Map()));
    pods.set(podKey(pod), pod);
    changed(nodeName);
  }

  function unplace(key: string): void {
    const old = placed.get(key);
    if (!old) return;
    old.expiry?.cancel();
    placed.delete(key);
    const pods = podsOf.get(old.nodeName);
    pods?.delete(key);
    if (pods?.size === 0) podsOf.delete(old.nodeName);
    changed(old.nodeName);
  }

  function find(name: string): NodeInfo | undefined {
    const node = nodes.get(name);
    if (!node) return undefined;
    let info = infos.get(name);
    if (!info) infos.set(name, (info = createNodeInfo(node, podsOf.get(name)?.values() ?? [])));
    return info;
  }

  return {
    setNode(node) {
      nodes.set(node.metadata.name ?? '', node);
      changed(node.metadata.name ?? '');
    },
    removeNode(name) {
      nodes.delete(name);
      changed(name);
    },
    setPod: (pod) => place(pod, pod.spec?.nodeName ?? '', false),
    removePod(pod) {
      nominations.delete(podKey(pod));
      unplace(podKey(pod));
    },
    assume: (pod, nodeName) => place(pod, nodeName, true),
    finishBinding(pod) {
      const assumed = placed.get(podKey(pod));
      if (assumed?.assumed) assumed.expiry = clock.setTimer(confirmWithinMs, () => unplace(podKey(pod)), { background: true });
    },
    forget(pod) {
      if (placed.get(podKey(pod))?.assumed) unplace(podKey(pod));
    },
    nominate: (pod, nodeName) => void nominations.set(podKey(pod), { pod, nodeName }),
    withdraw: (pod) => void nominations.delete(podKey(pod)),
    nominatedOn: (nodeName) => [...nominations.values()].flatMap((nomination) => (nomination.nodeName === nodeName ? nomination.pod : [])),
    isAssumed: (pod) => placed.get(podKey(pod))?.assumed === true,
    nodes() {
      list ??= [...nodes.keys()].flatMap((name) => find(name) ?? []);
      return list;
    },
    findNode: find,
  };
}
