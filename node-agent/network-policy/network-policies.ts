import { createBackoff } from '../../api/base/backoff.ts';
import { type Clock, sleep } from '../../api/base/clock.ts';
import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { Informer, InformerFactory } from '../../api/client/informer.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { networkPolicies } from '../../api/resources/networking/v1/network-policy.ts';
import type { Pod } from '../../api/types/core-v1.ts';
import type { NFT } from '../linux/nft.ts';
import { LocalAddresses } from './local-addresses.ts';
import { planPolicies } from './plan-policies.ts';
import { type PolicyTable, renderPolicyChanges, renderPolicyTable, renderPolicyTableRemoval } from './policy-table.ts';

export interface NetworkPoliciesDependencies {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  readonly nft: NFT;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Changes that come within this time after one was written wait for the next, so that bursts cost few transactions. */
const coalesceMs = 50;
const retryBackoff = { initialMs: 100, maxMs: 30_000, jitter: 0.2 };

export interface NetworkPolicies {
  /**
   * Enforces the policies for the Pods of this node until the signal is aborted; the rules stay then. Pods and Namespaces of
   * the whole cluster are followed from the first policy on: a cluster without any pays nothing.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Tells the addresses of a Pod of this node as soon as it has them, before anything in it runs. Resolves when what the
   * policies say of it is in the kernel, or after some seconds, since a Pod that cannot start for ever helps nobody.
   */
  isolate(pod: DeepReadonly<Pod>, addresses: readonly string[]): Promise<void>;
  /** Somebody else has deleted the table: it is written again, unless there is nothing to enforce. */
  rewrite(): void;
}

/** After this time a Pod starts although its rules could not be written. */
const maxIsolationMs = 10_000;

export function createNetworkPolicies(dependencies: NetworkPoliciesDependencies): NetworkPolicies {
  const { informers, clock, logger } = dependencies;
  const policies = informers.informer(networkPolicies);
  const local = new LocalAddresses(clock);
  const state = { changed: Promise.withResolvers<void>(), wanted: 0, written: 0, onWritten: Promise.withResolvers<void>(), isLost: false };
  const wake = () => state.changed.resolve();
  const written = (upTo: number) => {
    state.written = upTo;
    state.onWritten.resolve();
    state.onWritten = Promise.withResolvers();
  };
  const isIdle = () => policies.lister.list().length === 0;

  /** Nothing is to be done while there is no policy. */
  const waitForPolicies = async (signal: AbortSignal) => {
    await policies.synced(signal);
    if (!isIdle()) return;
    await dependencies.nft.apply(renderPolicyTableRemoval());
    while (isIdle()) {
      state.changed = Promise.withResolvers();
      written(state.wanted);
      await state.changed.promise;
      signal.throwIfAborted();
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
      });
      try {
        const text = actual === undefined ? renderPolicyTable(desired) : renderPolicyChanges(actual, desired);
        if (text !== '') await dependencies.nft.apply(text);
        actual = desired;
        backoff.reset();
        written(wanted);
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
      try {
        await waitForPolicies(signal);
        await enforce(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        unfollow();
      }
    },
    rewrite() {
      state.isLost = true;
      wake();
    },
    async isolate(pod, addresses) {
      local.add(pod, addresses);
      const number = ++state.wanted;
      wake();
      const abort = new AbortController();
      const timer = clock.setTimer(maxIsolationMs, () => abort.abort(), { background: true });
      const late = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve(), { once: true }));
      while (state.written < number && !abort.signal.aborted) await Promise.race([state.onWritten.promise, late]);
      timer.cancel();
      if (state.written < number) logger.warn('a Pod starts before the rules of NetworkPolicies are there', { pod: pod.metadata.name });
    },
  };
}

function follow<T extends KubeObject>(informer: Informer<T>, wake: () => void): Informer<T> {
  informer.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
  return informer;
}
