import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { cleanupFinalizer, isEstablished } from '../../../api/extensions/plan-definition-status.ts';
import { toStorageDefinition } from '../../../api/extensions/to-definitions.ts';
import { withCondition } from '../../../api/meta/conditions.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '../../../api/types/apiextensions-v1.ts';
import { loopbackUser } from '../authentication/well-known.ts';
import type { Store } from '../registry/store.ts';
import { deletion } from '../registry/writes/pipelines.ts';
import type { WriteContext } from '../registry/writes/write-context.ts';

export interface FinishDependencies {
  readonly client: Client;
  readonly clock: Clock;
  /** Whether a built-in kind has the same names as a custom kind, which then has no objects of its own. */
  isShadowed(definition: ResourceDefinition): boolean;
  /** A store of objects of that kind that asks no admission plugin. */
  openStore(definition: ResourceDefinition): Store;
}

type Finding = Pick<CustomResourceDefinitionCondition, 'status' | 'reason' | 'message'>;

/** How long the objects of a kind are given to go, and how often it is looked whether they have. */
const remainingMs = 60_000;
const lookEveryMs = 250;
const deletesAtOnce = 16;

/**
 * Deletes all objects of a kind that is being deleted, and removes the definition's finalizer when none is left. Throws to be called again.
 */
export async function finishDefinition(name: string, dependencies: FinishDependencies, signal: AbortSignal): Promise<void> {
  const { client } = dependencies;
  const key = { namespace: '', name };
  const found = await ignoreNotFound(client(customResourceDefinitions).get(key, { signal }));
  if (!found?.metadata.deletionTimestamp || !found.metadata.finalizers?.includes(cleanupFinalizer)) return;
  const started = await write(
    found,
    { status: 'True', reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' },
    dependencies,
  );
  if (!started) return;
  const { finding, error } = await removeObjects(started, dependencies, signal);
  const finished = await write(started, finding, dependencies, error === undefined);
  if (error !== undefined && finished) throw error;
}

/** Writes the condition Terminating; undefined: the definition was changed or deleted meanwhile, and will be handled again. */
async function write(
  crd: DeepReadonly<CustomResourceDefinition>,
  finding: Finding,
  { client, clock }: FinishDependencies,
  isFinished = false,
): Promise<CustomResourceDefinition | undefined> {
  const changed = mutableCopy<CustomResourceDefinition>(crd);
  const condition = { type: 'Terminating', ...finding, lastTransitionTime: formatTime(clock.nowMs()) };
  changed.status = { ...changed.status, conditions: [...withCondition(changed.status?.conditions ?? [], condition)] };
  if (isFinished) changed.metadata.finalizers = (changed.metadata.finalizers ?? []).filter((each) => each !== cleanupFinalizer);
  try {
    return await client(customResourceDefinitions).updateStatus(changed);
  } catch (error) {
    if (hasReason(error, 'Conflict') || hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

interface Removal {
  readonly finding: Finding;
  readonly error?: unknown;
}

const failed = (reason: string, what: string, error: unknown): Removal => ({
  finding: { status: 'True', reason, message: `${what}: ${error instanceof Error ? error.message : String(error)}` },
  error,
});

async function removeObjects(
  crd: CustomResourceDefinition,
  { openStore, isShadowed, clock }: FinishDependencies,
  signal: AbortSignal,
): Promise<Removal> {
  const definition = isEstablished(crd) ? toStorageDefinition(crd) : undefined;
  if (!definition) return { finding: { status: 'False', reason: 'NeverEstablished', message: 'resource was never established' } };
  const completed: Removal = { finding: { status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' } };
  if (isShadowed(definition)) return completed;
  const store = openStore(definition);
  const left = async () => {
    await store.reachNewest(signal);
    return [...store.cache.list({ keyPrefix: '' }).objects].map(({ namespace, name }) => ({ namespace, name }));
  };
  try {
    await deleteAll(store, await left(), signal);
  } catch (error) {
    return failed('InstanceDeletionFailed', 'could not issue all deletes', error);
  }
  const endMs = clock.monotonicMs() + remainingMs;
  while ((await left()).length > 0) {
    if (clock.monotonicMs() >= endMs)
      return failed(
        'InstanceDeletionCheck',
        'could not confirm zero CustomResources remaining',
        new Error('timed out waiting for the condition'),
      );
    await sleep(clock, lookEveryMs, signal);
  }
  return completed;
}

async function deleteAll(store: Store, keys: readonly { namespace: string; name: string }[], signal: AbortSignal): Promise<void> {
  const context: WriteContext = {
    user: loopbackUser,
    dryRun: false,
    fieldManager: 'kube-apiserver',
    subresource: '',
    signal,
    addWarning: () => undefined,
  };
  const waiting = [...keys];
  const work = async () => {
    for (let key = waiting.pop(); key; key = waiting.pop()) await ignoreNotFound(store.delete(deletion, key, {}, context));
  };
  await Promise.all(Array.from({ length: deletesAtOnce }, work));
}
