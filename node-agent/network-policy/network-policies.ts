import { createBackoff } from '../../api/base/backoff.ts';
import { type Clock, sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { Informer, InformerFactory } from '../../api/client/informer.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { networkPolicies } from '../../api/resources/networking/v1/network-policy.ts';
import type { NFT } from '../linux/nft.ts';
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

/**
 * Enforces NetworkPolicies for the Pods of one node until the signal is aborted; the rules stay then. Pods and Namespaces of
 * the whole cluster are followed from the first policy on: a cluster without any pays nothing.
 */
export async function runNetworkPolicies(dependencies: NetworkPoliciesDependencies, signal: AbortSignal): Promise<void> {
  const { informers, clock, logger } = dependencies;
  const backoff = createBackoff(retryBackoff, dependencies.random);
  let changed = Promise.withResolvers<void>();
  const wake = () => changed.resolve();
  signal.addEventListener('abort', wake, { once: true });
  const policies = follow(informers.informer(networkPolicies), wake);
  let actual: PolicyTable | undefined;
  try {
    await policies.synced(signal);
    if (policies.lister.list().length === 0) {
      await dependencies.nft.apply(renderPolicyTableRemoval());
      while (policies.lister.list().length === 0) {
        changed = Promise.withResolvers();
        await changed.promise;
        signal.throwIfAborted();
      }
    }
    const [podInformer, namespaceInformer] = [follow(informers.informer(pods), wake), follow(informers.informer(namespaces), wake)];
    await Promise.all([podInformer.synced(signal), namespaceInformer.synced(signal)]);
    while (!signal.aborted) {
      changed = Promise.withResolvers();
      const desired = planPolicies({
        policies: policies.lister.list(),
        pods: podInformer.lister.list(),
        namespaces: namespaceInformer.lister.list(),
        nodeName: dependencies.nodeName,
      });
      try {
        const text = actual === undefined ? renderPolicyTable(desired) : renderPolicyChanges(actual, desired);
        if (text !== '') await dependencies.nft.apply(text);
        actual = desired;
        backoff.reset();
      } catch (error) {
        actual = undefined;
        const delayMs = backoff.nextMs();
        logger.error('the rules of NetworkPolicies cannot be written', { error, retryInMs: Math.round(delayMs) });
        await sleep(clock, delayMs, signal);
        continue;
      }
      await changed.promise;
      await sleep(clock, coalesceMs, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function follow<T extends KubeObject>(informer: Informer<T>, wake: () => void): Informer<T> {
  informer.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
  return informer;
}
