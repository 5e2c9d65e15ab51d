import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { isCritical } from '../eviction/rank-pods.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import type { Tallies } from '../stats/tallies.ts';
import { admitPod, admitWithRoom, findShortages, type MachineRules } from './admit-pod.ts';
import { planPreemption } from './preempt-pods.ts';
import type { Refusal } from './refusal.ts';

interface AdmissionDependencies {
  readonly clock: Clock;
  readonly tallies: Tallies;
  /** The Node as the informer saw it last; `refresh` reads it from the API. */
  readonly node: () => DeepReadonly<Node> | undefined;
  readonly refresh: () => Promise<DeepReadonly<Node> | undefined>;
  /** The Pods that have been admitted and are not over. */
  readonly others: () => readonly DeepReadonly<Pod>[];
  readonly rules: MachineRules;
  readonly findWorker: (uid: string) => Pick<PodWorker, 'end' | 'state'> | undefined;
}

const lookMs = 50;

/**
 * The reason why the node cannot run the Pod; undefined if it can. For a critical Pod others are ended, and are gone when this resolves.
 */
export async function admitOrMakeRoom(pod: DeepReadonly<Pod>, dependencies: AdmissionDependencies): Promise<Refusal | undefined> {
  const { node, refresh, others, rules } = dependencies;
  const refusal = admitPod(pod, node(), others(), rules);
  // The scheduler may have decided on a newer picture of the node.
  const confirmed = refusal && admitPod(pod, await refresh(), others(), rules);
  if (!confirmed || !isCritical(pod)) return confirmed;
  return admitWithRoom(pod, node(), others(), rules) ?? (await makeRoom(pod, dependencies));
}

/** Ends less important Pods, one after another, until a critical one fits. */
async function makeRoom(
  pod: DeepReadonly<Pod>,
  { clock, tallies, node, others: findOthers, findWorker }: AdmissionDependencies,
): Promise<Refusal | undefined> {
  const others = findOthers();
  const shortages = findShortages(pod, node(), others).map(({ resource, requested, used, capacity }) => ({
    resource,
    amount: requested + used - capacity,
  }));
  const plan = planPreemption(pod, others, shortages);
  if ('problem' in plan) {
    const problem = `preemption: error finding a set of pods to preempt: ${plan.problem}`;
    const message = `Pod was rejected: Unexpected error while attempting to recover from admission failure: ${problem}`;
    return { reason: 'UnexpectedAdmissionError', message };
  }
  for (const victim of plan.victims) {
    const worker = findWorker(victim.metadata.uid ?? '');
    worker?.end({
      reason: 'Preempting',
      message: 'Preempted in order to admit critical pod',
      disruption: 'Pod was preempted by Kubelet to accommodate a critical pod.',
      graceSeconds: victim.spec?.terminationGracePeriodSeconds ?? 30,
    });
    while (worker && !['terminated', 'removing', 'removed'].includes(worker.state())) await sleep(clock, lookMs);
    tallies.add('kubelet_preemptions', [shortages[0]?.resource ?? '']);
  }
  return undefined;
}
