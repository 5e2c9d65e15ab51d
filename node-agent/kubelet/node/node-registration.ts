import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import type { EventRecorder } from '../../../api/client/events/event-recorder.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { isExtendedResource } from '../../../api/semantics/pods/resource-list.ts';
import type { Node, NodeSpec, NodeStatus, Taint } from '../../../api/types/core-v1.ts';

export interface NodeRegistrationDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly recorder: EventRecorder;
  readonly nodeName: string;
  /** The range of its Pods; absent: the control plane assigns one. */
  readonly podCIDR: string | undefined;
  /** Taints that the Node is registered with; later changes of it are others' business. */
  readonly taints: readonly Taint[];
  readonly labels: Readonly<Record<string, string>>;
  readonly status: (previous: NodeStatus | undefined) => Promise<NodeStatus>;
}

export interface NodeRegistration {
  /** Registers the node and keeps its status true until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** The Node as last seen. */
  node(): Node | undefined;
  /** Asks the API for the Node: others set its labels and its extended resources. Without an answer, the Node as last seen. */
  refresh(): Promise<Node | undefined>;
  /** Looks at the status now. */
  wake(): void;
}

const checkMs = 10_000;
/** An unchanged status is written at this interval. */
const reportMs = 5 * 60_000;
const retryMs = 500;

/** A list of addresses would be merged by their type, of which a node of two families has two. */
const replaceList = { $patch: 'replace' };

export function createNodeRegistration(dependencies: NodeRegistrationDependencies): NodeRegistration {
  const { client, clock, logger, recorder, nodeName } = dependencies;
  let node: Node | undefined;
  let wakeUp = new AbortController();
  /** Undefined: not since the start, of which the cluster is to hear even where nothing is new. */
  let reportedMs: number | undefined;
  const key = { namespace: '', name: nodeName };
  const report = async () => {
    // Asked anew each time: the control plane may have called the node lost meanwhile, which has to be contradicted at once.
    const before = node === undefined ? await ensureNode(dependencies) : await client(nodes).get(key);
    node = before;
    const status = await dependencies.status(before.status);
    const nowMs = clock.monotonicMs();
    if (reportedMs !== undefined && nowMs - reportedMs < reportMs && fingerprint(status) === fingerprint(ownPartOf(before.status, status)))
      return;
    tellTransitions(recorder, nodeName, before.status, status);
    const { addresses, allocatable } = status;
    const gone = abandoned(before.status).map((resource) => [resource, null]);
    const body = {
      status: {
        ...status,
        ...(gone.length > 0 && { allocatable: { ...Object.fromEntries(gone), ...allocatable } }),
        ...(addresses && { addresses: [replaceList, ...addresses] }),
      },
    };
    node = await client(nodes).patch(key, { type: 'strategic', body }, { subresource: 'status' });
    reportedMs = nowMs;
  };
  return {
    node: () => node,
    async refresh() {
      try {
        node = await client(nodes).get(key);
      } catch (error) {
        logger.warn('the node could not be read', { error });
      }
      return node;
    },
    wake: () => wakeUp.abort(),
    async run(signal) {
      recorder.event(nodeReference(nodeName), 'Normal', 'Starting', 'Starting kubelet.');
      while (!signal.aborted) {
        let pauseMs = checkMs;
        wakeUp = new AbortController();
        try {
          await report();
        } catch (error) {
          if (signal.aborted) return;
          if (hasReason(error, 'NotFound')) node = undefined; // deleted by someone: registered anew
          pauseMs = retryMs;
          logger.warn('the status of the node could not be written', { error });
        }
        await sleep(clock, pauseMs, AbortSignal.any([signal, wakeUp.signal])).catch(() => undefined); // aborted or woken
      }
    },
  };
}

export function nodeReference(name: string) {
  return { kind: 'Node', name, uid: name };
}

/** Resources that others had put on the Node and have taken out of its capacity: there is nothing to give away any more. */
function abandoned({ capacity = {}, allocatable = {} }: NodeStatus = {}): string[] {
  return Object.keys(allocatable).filter((resource) => isExtendedResource(resource) && !(resource in capacity));
}

/** The API's status without extended resources, which others put on the Node: the node reports none and leaves them there. */
function ownPartOf(before: NodeStatus | undefined, said: NodeStatus): NodeStatus {
  const own = (amounts: NodeStatus['capacity'], keys: readonly string[]) =>
    amounts && Object.fromEntries(Object.entries(amounts).filter(([resource]) => keys.includes(resource)));
  const capacity = own(before?.capacity, Object.keys(said.capacity ?? {}));
  const allocatable = own(before?.allocatable, [...Object.keys(said.allocatable ?? {}), ...abandoned(before)]);
  return { ...before, ...(capacity ? { capacity } : {}), ...(allocatable ? { allocatable } : {}) };
}

/** A text of the status without its heartbeats. */
function fingerprint(status: NodeStatus | undefined): string {
  const conditions = (status?.conditions ?? []).map(({ type, status: value, reason, message }) => [type, value, reason, message]);
  return JSON.stringify(
    [
      status?.addresses,
      status?.capacity,
      status?.allocatable,
      conditions.sort(),
      status?.nodeInfo,
      status?.images,
      status?.daemonEndpoints,
      status?.volumesInUse ?? [],
    ],
    sorted,
  );
}

/** Sorts fields, so that the server's order does not matter. */
function sorted(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const transitionReasons: Readonly<Record<string, readonly [whenTrue: string, whenFalse: string]>> = {
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
  Ready: ['NodeReady', 'NodeNotReady'],
};

function tellTransitions(recorder: EventRecorder, name: string, before: NodeStatus | undefined, now: NodeStatus): void {
  for (const { type, status } of now.conditions ?? []) {
    if (before?.conditions?.find((condition) => condition.type === type)?.status === status) continue;
    const reason = transitionReasons[type]?.[status === 'True' ? 0 : 1];
    if (reason) recorder.event(nodeReference(name), 'Normal', reason, `Node ${name} status is now: ${reason}`);
  }
}

/** The Node as the API has it, made if there is none; labels of the agent are put right. */
async function ensureNode({ client, nodeName, podCIDR, taints, labels, status }: NodeRegistrationDependencies): Promise<Node> {
  const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' };
  const fresh: Node = {
    metadata: { name: nodeName, labels: { ...labels }, annotations },
    spec: {
      ...rangesOf(podCIDR),
      ...(taints.length === 0 ? {} : { taints: [...taints] }),
    },
    status: await status(undefined),
  };
  try {
    return await client(nodes).create(fresh);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
  const key = { namespace: '', name: nodeName };
  const present = await client(nodes).get(key);
  const wrong = Object.entries(labels).filter(([label, value]) => present.metadata.labels?.[label] !== value);
  const lacksCIDR = podCIDR !== undefined && !present.spec?.podCIDR;
  if (wrong.length === 0 && !lacksCIDR) return present;
  const body = {
    metadata: { labels: Object.fromEntries(wrong), annotations },
    ...(lacksCIDR ? { spec: rangesOf(podCIDR) } : {}),
  };
  return client(nodes).patch(key, { type: 'strategic', body });
}

/** The ranges in a text, at most one of each family, separated by commas. */
function rangesOf(ranges: string | undefined): Pick<NodeSpec, 'podCIDR' | 'podCIDRs'> {
  const podCIDRs = ranges?.split(',') ?? [];
  const [podCIDR] = podCIDRs;
  return podCIDR === undefined ? {} : { podCIDR, podCIDRs };
}
