import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Informer, InformerFactory } from '../../../api/client/informers/informer.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { networkPolicies } from '../../../api/resources/networking/v1/network-policy.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { PodPort, PodPorts } from '../cni/pod-ports.ts';
import type { NFT } from '../../linux/nft/nft.ts';
import { type ClosedPod, renderClosedPods } from './closed-pods.ts';
import { type LocalPod, LocalPods } from './local-pods.ts';
import { type ClusterDNSPlace, planPolicies } from './plan-policies.ts';
import { type PolicyTable, renderPolicyChanges, renderPolicyTable, renderPolicyTableRemoval } from './policy-table.ts';

interface NetworkPoliciesDependencies {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  readonly nft: NFT;
  /** The ports of the Pods at the node's bridge, if it has one. */
  readonly ports: PodPorts;
  /** Lists the running sandboxes on this node; called at the start and periodically. */
  readonly listSandboxes: () => Promise<readonly RunningSandbox[]>;
  /** The addresses at which Pods of this node find cluster DNS. */
  readonly dns: ClusterDNSPlace;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Changes within this time after a write wait for the next one, so that bursts cause few transactions. */
const coalesceMs = 50;
/** Between two looks at the sandboxes that there are. */
const observeMs = 30_000;
const retryBackoff = { initialMs: 100, maxMs: 30_000, jitter: 0.2 };

/** A sandbox, with the facts of its Pod that the runtime knows. */
export interface RunningSandbox {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NetworkPolicies {
  /**
   * Enforces the policies for the Pods of this node until the signal is aborted; the rules stay then. Pods and Namespaces of
   * the whole cluster are followed from the first policy on: a cluster without any pays nothing.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Tells the addresses of a Pod of this node as soon as it has them. Resolves when what the policies say of it is in the
   * kernel. Before the policies of the cluster are known, a Pod in which nothing has run is closed: it reaches nothing, and
   * after some seconds starts so. Rejects where rules cannot be written: the Pod must not start without them.
   */
  isolate(pod: DeepReadonly<Pod>, addresses: readonly string[], start: PodStart): Promise<void>;
  /** Writes the table again after another program has deleted it, unless there is nothing to enforce. */
  rewrite(): void;
  /** The sandbox of a Pod is gone, and with it its addresses. */
  release(podUID: string): void;
}

/** Whether nothing has run in the sandbox of the Pod. */
export interface PodStart {
  readonly isNew: boolean;
}

/** How long a Pod waits until the policies are known, or until its rules are written. */
const maxIsolationMs = 30_000;

export function createNetworkPolicies(dependencies: NetworkPoliciesDependencies): NetworkPolicies {
  const { informers, clock, logger } = dependencies;
  const policies = informers.informer(networkPolicies);
  const local = new LocalPods(clock);
  /** Ports of the bridge by the addresses behind them. */
  let ports = new Map<string, PodPort>();
  const state = { changed: Promise.withResolvers<void>(), wanted: 0, written: 0, onWritten: Promise.withResolvers<void>(), isLost: false };
  const closed = createClosedPods(dependencies);
  const wake = () => state.changed.resolve();
  const written = async (upTo: number) => {
    await closed.open();
    state.written = upTo;
    state.onWritten.resolve();
    state.onWritten = Promise.withResolvers();
  };
  const isIdle = () => policies.lister.list().length === 0;

  /** Waits for a policy: there is no work while there is none. */
  const waitForPolicies = async (signal: AbortSignal) => {
    await policies.synced(signal);
    if (!isIdle()) return;
    await dependencies.nft.apply(renderPolicyTableRemoval());
    while (isIdle()) {
      // An abort while the rules were written has not been noticed.
      signal.throwIfAborted();
      state.changed = Promise.withResolvers();
      await written(state.wanted);
      await state.changed.promise;
    }
    signal.throwIfAborted();
  };

  const readPorts = async () => {
    const found = await dependencies.ports.list();
    ports = new Map(found.flatMap((port) => [...port.addresses, port.linkLocal].map((address) => [address, port] as const)));
    return found;
  };
  /** With the address on the link, which policies have to hold for as well. */
  const withLinkLocal = (addresses: readonly string[]) => {
    const own = addresses.flatMap((address) => ports.get(address)?.linkLocal ?? []);
    return [...new Set([...addresses, ...own])];
  };
  /** Running sandboxes count, and not only the Pods of the API: a Pod that was force-deleted runs on for a while. */
  const observeSandboxes = async () => {
    const [sandboxes, found] = await Promise.all([dependencies.listSandboxes(), readPorts()]);
    const byID = new Map(found.map((port) => [port.sandboxID, port]));
    const listed = sandboxes.flatMap((sandbox): LocalPod[] => {
      const port = byID.get(sandbox.id);
      return port === undefined ? [] : [{ pod: podOf(sandbox, dependencies.nodeName), addresses: [...port.addresses, port.linkLocal] }];
    });
    if (local.observe(listed)) wake();
  };
  const keepObserving = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await sleep(clock, observeMs, signal).catch(() => undefined); // aborted
      if (!signal.aborted) await observeSandboxes().catch((error: unknown) => logger.debug('the sandboxes cannot be listed', { error }));
    }
  };

  const enforce = async (signal: AbortSignal) => {
    const backoff = createBackoff(retryBackoff, dependencies.random);
    const [podInformer, namespaceInformer] = [follow(informers.informer(pods), wake), follow(informers.informer(namespaces), wake)];
    await Promise.all([podInformer.synced(signal), namespaceInformer.synced(signal)]);
    let actual: PolicyTable | undefined;
    while (!signal.aborted) {
      state.changed = Promise.withResolvers();
      const { wanted } = state;
      if (state.isLost) actual = undefined;
      state.isLost = false;
      const desired = planPolicies({
        policies: policies.lister.list(),
        pods: local.complete(podInformer.lister.list()),
        namespaces: namespaceInformer.lister.list(),
        nodeName: dependencies.nodeName,
        portOf: (address) => ports.get(address)?.port,
        dns: dependencies.dns,
      });
      try {
        const text = actual === undefined ? renderPolicyTable(desired, dependencies.dns.port) : renderPolicyChanges(actual, desired);
        if (text !== '') await dependencies.nft.apply(text);
        actual = desired;
        backoff.reset();
        await written(wanted);
      } catch (error) {
        actual = undefined;
        const delayMs = backoff.nextMs();
        logger.error('the rules of NetworkPolicies cannot be written', { error, retryInMs: Math.round(delayMs) });
        await sleep(clock, delayMs, signal);
        continue;
      }
      await state.changed.promise;
      // A Pod that waits for its rules is not made to wait for those of others.
      if (state.wanted === state.written) await sleep(clock, coalesceMs, signal);
    }
  };

  return {
    async run(signal) {
      const unfollow = informers.informer(networkPolicies).addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
      signal.addEventListener('abort', wake, { once: true });
      const observing = keepObserving(signal);
      try {
        // Without a runtime no new Pods run; those that ran before are seen the next time.
        await observeSandboxes().catch((error: unknown) => logger.warn('the sandboxes cannot be listed', { error }));
        await waitForPolicies(signal);
        await enforce(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        unfollow();
        await observing;
      }
    },
    rewrite() {
      state.isLost = true;
      wake();
    },
    release(podUID) {
      closed.forget(podUID);
      if (local.remove(podUID)) wake();
    },
    async isolate(pod, addresses, { isNew }) {
      await readPorts();
      const own = withLinkLocal(addresses);
      local.add({ pod, addresses: own });
      const port = own.map((address) => ports.get(address)?.port).find((one) => one !== undefined);
      if (isNew) await closed.close(pod.metadata.uid ?? '', { addresses: own, ...(port === undefined ? {} : { port }) });
      const number = ++state.wanted;
      wake();
      const abort = new AbortController();
      const timer = clock.setTimer(maxIsolationMs, () => abort.abort(), { background: true });
      const late = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve(), { once: true }));
      while (state.written < number && !abort.signal.aborted) await Promise.race([state.onWritten.promise, late]);
      timer.cancel();
      if (state.written >= number) return;
      if (closed.isOpen) throw new Error('the rules of NetworkPolicies are not written yet');
      logger.warn('a Pod starts without network: NetworkPolicies are not known yet', { pod: pod.metadata.name });
    },
  };
}

/** The Pods that were started before the policies were known. Rules are written one after the other. */
function createClosedPods({ nft, dns, logger }: NetworkPoliciesDependencies) {
  const pods = new Map<string, ClosedPod>();
  let isOpen = false;
  let writing: Promise<unknown> = Promise.resolve();
  const write = (): Promise<void> => {
    const now = writing.then(() => nft.apply(renderClosedPods(pods.values(), dns.port)));
    writing = now.catch(() => undefined);
    return now;
  };
  return {
    /** Whether the policies are known: their rules hold for all Pods. */
    get isOpen() {
      return isOpen;
    },
    async close(uid: string, pod: ClosedPod): Promise<void> {
      if (isOpen) return;
      pods.set(uid, pod);
      await write();
    },
    /** The sandbox is gone; its address may be given to another Pod, which is closed anew. */
    forget(uid: string): void {
      if (pods.delete(uid)) write().catch((error: unknown) => logger.warn('the rules of a Pod that is gone stay', { error }));
    },
    /** Opens the Pods when the rules of the policies are in the kernel, including those that a former agent has closed. */
    async open(): Promise<void> {
      if (isOpen) return;
      // A Pod that arrives meanwhile waits for its own rules.
      isOpen = true;
      pods.clear();
      await write().catch((error: unknown) => {
        isOpen = false;
        throw error;
      });
    },
  };
}

function podOf({ namespace, name, uid, labels }: RunningSandbox, nodeName: string): Pod {
  return { metadata: { namespace, name, uid, labels: { ...labels } }, spec: { nodeName, containers: [] } };
}

function follow<T extends KubeObject>(informer: Informer<T>, wake: () => void): Informer<T> {
  informer.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
  return informer;
}
