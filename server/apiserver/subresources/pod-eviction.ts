import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, conflict, forbidden, methodNotAllowed, tooManyRequests, unexpectedError } from '../../../api/meta/status-errors.ts';
import { hasReason, StatusError } from '../../../api/meta/status.ts';
import { findCondition, withCondition } from '../../../api/meta/conditions.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { podDisruptionBudgets } from '../../../api/resources/policy/v1/pod-disruption-budget.ts';
import { toLabelMatcher } from '../../../api/selectors/label-selector.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Pod, PodCondition } from '../../../api/types/core-v1.ts';
import type { Eviction, PodDisruptionBudget } from '../../../api/types/policy-v1.ts';
import { disruptionCount, eviction, evictionNotice } from '../registry/writes/pipelines.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { DeleteOptions, WriteContext } from '../registry/writes/write-context.ts';
import { readPod } from './pod-container.ts';
import { createdStatus, readWriteContext } from './subresource-response.ts';
import type { SubresourceDependencies, SubresourceHandler } from './subresource.ts';

/** How many evictions may be under way that the disruption controller has not seen yet. */
const maxDisruptedPods = 2000;
const maxAttempts = 10;

/** Deletes a Pod unless a PodDisruptionBudget forbids it for now. Nodes are drained with it. */
export const podEviction: SubresourceHandler = {
  group: '',
  resource: 'pods',
  subresource: 'eviction',
  async handle(context, dependencies) {
    const { info } = context;
    if (info.verb !== 'create') throw methodNotAllowed();
    const expected = { apiVersion: 'policy/v1', kind: 'Eviction' };
    const eviction = (await dependencies.decodeBody(context, 'io.k8s.api.policy.v1.Eviction', expected)) as Eviction;
    const write = readWriteContext(context);
    const dryRun = write.dryRun || (eviction.deleteOptions?.dryRun ?? []).includes('All');
    const store = dependencies.storeFor(pods);
    await dependencies.admit({ context, operation: 'CREATE', store, subresource: 'eviction', object: eviction, dryRun });
    if (eviction.metadata?.name !== info.name) throw badRequest('name in URL does not match name in Eviction object');
    await evict(context, dependencies, deleteOptionsOf(eviction), { ...write, subresource: '', dryRun });
    return createdStatus(context, dependencies);
  },
};

function deleteOptionsOf({ deleteOptions = {} }: Eviction): DeleteOptions {
  const { gracePeriodSeconds, propagationPolicy, preconditions } = deleteOptions;
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy: propagationPolicy as NonNullable<DeleteOptions['propagationPolicy']> }),
    ...(preconditions === undefined
      ? {}
      : {
          preconditions: {
            ...(preconditions.uid ? { uid: preconditions.uid } : {}),
            ...(preconditions.resourceVersion ? { resourceVersion: preconditions.resourceVersion } : {}),
          },
        }),
  };
}

/** Evicts the Pod in the state for which the budget has decided: where it matters, only that state may be deleted. */
async function evict(
  context: RequestContext,
  dependencies: SubresourceDependencies,
  options: DeleteOptions,
  write: WriteContext,
): Promise<void> {
  const key = { namespace: context.info.namespace, name: context.info.name };
  const store = dependencies.storeFor(pods);
  for (let attempt = 1; ; attempt++) {
    const pod = await readPod(context, dependencies);
    const mustBeThis = await mayEvict(pod, context, dependencies, write);
    const { resourceVersion } = pod.metadata;
    const preconditions = {
      ...options.preconditions,
      ...(mustBeThis && options.preconditions?.resourceVersion === undefined && resourceVersion ? { resourceVersion } : {}),
    };
    try {
      const announced = write.dryRun ? undefined : await announce(preconditions, context, dependencies, write);
      const present =
        preconditions.resourceVersion === undefined || !announced ? preconditions : { ...preconditions, resourceVersion: announced };
      await store.delete(eviction, key, { ...options, preconditions: present }, write);
      return;
    } catch (error) {
      const isOwnCondition = mustBeThis && options.preconditions?.resourceVersion === undefined;
      if (!isOwnCondition || !hasReason(error, 'Conflict') || attempt >= maxAttempts) throw error;
    }
  }
}

/** Writes the condition DisruptionTarget into the Pod's status (KEP-3329). Returns its new resourceVersion. */
async function announce(
  preconditions: NonNullable<DeleteOptions['preconditions']>,
  { info, clock }: RequestContext,
  { storeFor }: SubresourceDependencies,
  write: WriteContext,
): Promise<string | undefined> {
  const now = formatTime(clock.nowMs());
  const { object } = await storeFor(pods).update(
    evictionNotice,
    { namespace: info.namespace, name: info.name },
    {
      ...write,
      subresource: 'status',
      change(old) {
        const { uid, resourceVersion } = old?.metadata ?? {};
        checkPrecondition(info.name, 'UID', preconditions.uid, uid);
        checkPrecondition(info.name, 'ResourceVersion', preconditions.resourceVersion, resourceVersion);
        const pod = structuredClone(old) as unknown as Pod;
        pod.status = {
          ...pod.status,
          conditions: [...withCondition(pod.status?.conditions ?? [], { ...disruptionTarget, lastTransitionTime: now })],
        };
        return pod as unknown as UntypedObject;
      },
    },
  );
  return object.metadata.resourceVersion;
}

const disruptionTarget: PodCondition = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
};

function checkPrecondition(name: string, field: string, wanted: string | undefined, found: string | undefined): void {
  if (wanted === undefined || wanted === found) return;
  throw conflict(pods, name, `Precondition failed: ${field} in precondition: ${wanted}, ${field} in object meta: ${found ?? ''}`);
}

/** Throws 429 and the like where the Pod must stay. True: only this very state of the Pod may be evicted. */
async function mayEvict(
  pod: DeepReadonly<Pod>,
  context: RequestContext,
  dependencies: SubresourceDependencies,
  write: WriteContext,
): Promise<boolean> {
  const phase = pod.status?.phase;
  // A Pod that has ended, has never run, or is going already needs no budget.
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp) return true;
  const budgets = await budgetsOf(pod, context, dependencies);
  const [budget] = budgets;
  if (!budget) return false;
  if (budgets.length > 1)
    throw unexpectedError('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  if (!isPodReady(pod) && mayIgnoreBudget(budget)) return true;
  await takeDisruption(budget, pod, context, dependencies, write);
  return false;
}

async function budgetsOf(
  { metadata }: DeepReadonly<Pod>,
  { info, signal }: RequestContext,
  { storeFor }: SubresourceDependencies,
): Promise<DeepReadonly<PodDisruptionBudget>[]> {
  const store = storeFor(podDisruptionBudgets);
  await store.cache.reach('newest', { timeoutMs: 3000, signal });
  const budgets: DeepReadonly<PodDisruptionBudget>[] = [];
  for (const cached of store.cache.list({ keyPrefix: `${info.namespace}/` }).objects) {
    const budget = store.read(cached) as unknown as DeepReadonly<PodDisruptionBudget>;
    if (toLabelMatcher(budget.spec?.selector as never).matches(metadata.labels ?? {})) budgets.push(budget);
  }
  return budgets;
}

/**
 * Whether a Pod that is not ready may be evicted without regard to the budget: if the budget says so, or if enough Pods are healthy
 * (KEP-3017).
 */
function mayIgnoreBudget({ spec, status }: DeepReadonly<PodDisruptionBudget>): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** Takes one of the allowed disruptions before the Pod is deleted, so that no more Pods are evicted than allowed. */
async function takeDisruption(
  { metadata }: DeepReadonly<PodDisruptionBudget>,
  pod: DeepReadonly<Pod>,
  context: RequestContext,
  { storeFor }: SubresourceDependencies,
  write: WriteContext,
): Promise<void> {
  const podName = pod.metadata.name ?? '';
  await storeFor(podDisruptionBudgets).update(
    disruptionCount,
    { namespace: metadata.namespace ?? '', name: metadata.name ?? '' },
    {
      ...write,
      fieldManager: '',
      subresource: 'status',
      change(old) {
        const budget = structuredClone(old) as unknown as PodDisruptionBudget;
        checkBudget(budget);
        budget.status = {
          ...budget.status,
          disruptionsAllowed: (budget.status?.disruptionsAllowed ?? 0) - 1,
          disruptedPods: { ...budget.status?.disruptedPods, [podName]: formatTime(context.clock.nowMs()) },
        } as NonNullable<PodDisruptionBudget['status']>;
        return budget as unknown as UntypedObject;
      },
    },
  );
}

function checkBudget({ metadata, status }: PodDisruptionBudget): void {
  const name = metadata.name ?? '';
  const { observedGeneration = 0, disruptionsAllowed = 0, desiredHealthy = 0, currentHealthy = 0, disruptedPods = {} } = status ?? {};
  if (observedGeneration < (metadata.generation ?? 0)) {
    throw budgetViolated(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (disruptionsAllowed < 0) throw forbidden(podDisruptionBudgets, name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > maxDisruptedPods) {
    throw forbidden(podDisruptionBudgets, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed > 0) return;
  const failure = findCondition(status?.conditions, 'DisruptionAllowed');
  if (failure?.status === 'False' && failure.reason === 'SyncFailed') {
    throw budgetViolated(
      `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failure.message}`,
      0,
    );
  }
  throw budgetViolated(`The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`, 0);
}

function budgetViolated(message: string, retryAfterSeconds: number): StatusError {
  const { status } = tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", retryAfterSeconds);
  return new StatusError({ ...status, details: { ...status.details, causes: [{ reason: 'DisruptionBudget', message }] } });
}
