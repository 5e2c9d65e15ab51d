import { findTime, formatTime } from '../../../api/meta/time.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Namespace } from '../../../api/types/core-v1.ts';
import { type ControllerDependencies, defineController, done, requeueAfterSeconds, watching } from '../runtime/define-controller.ts';
import { deleteContent } from './delete-content.ts';
import { deletionConditions } from './deletion-conditions.ts';
import { rules } from './rbac.ts';

const finalizer = 'kubernetes';

interface NamespaceControllerOptions {
  /** How long all API servers may take to learn that nothing more may be created in the namespace. */
  readonly settleSeconds: number;
}

/** Deletes the content of Namespaces that are being deleted, and removes their finalizer when nothing is left in them. */
export const createNamespaceController = ({ settleSeconds }: NamespaceControllerOptions) =>
  defineController({
    name: 'namespace-controller',
    account: 'namespace-controller',
    for: namespaces,
    // Other content is deleted only after the last Pod has ended.
    watches: [watching(pods, ({ metadata }) => (metadata.deletionTimestamp ? [{ namespace: '', name: metadata.namespace ?? '' }] : []))],
    workers: 10,
    rules,
    async reconcile(key, dependencies) {
      const { lister, client, clock } = dependencies;
      const cached = lister(namespaces).find(key);
      if (cached?.metadata.deletionTimestamp === undefined) return done;
      const sinceSeconds = (clock.nowMs() - (findTime(cached.metadata.deletionTimestamp) ?? 0)) / 1000;
      if (sinceSeconds >= 0 && sinceSeconds < settleSeconds) return requeueAfterSeconds(settleSeconds - sinceSeconds);

      const namespace = await ignoreNotFound(client(namespaces).get(key));
      if (namespace?.metadata.deletionTimestamp === undefined) return done;
      if (namespace.status?.phase !== 'Terminating') {
        await client(namespaces).updateStatus({ ...namespace, status: { ...namespace.status, phase: 'Terminating' } });
      }
      if ((namespace.spec?.finalizers ?? []).length === 0) return done;

      const deletion = await deleteContent(dependencies, key.name);
      await writeConditions(dependencies, key, deletion);
      if (deletion.error !== undefined) throw deletion.error;
      if (deletion.estimateSeconds > 0) return requeueAfterSeconds(Math.floor(deletion.estimateSeconds / 2) + 1);
      await finalize(dependencies, key);
      return done;
    },
  });

async function writeConditions(
  { client, clock }: ControllerDependencies,
  key: ObjectKey,
  deletion: Awaited<ReturnType<typeof deleteContent>>,
): Promise<void> {
  await retryOnConflict(clock, async () => {
    const fresh = await ignoreNotFound(client(namespaces).get(key));
    if (fresh === undefined) return;
    const present = fresh.status?.conditions ?? [];
    const conditions = deletionConditions(present, deletion, formatTime(clock.nowMs()));
    if (conditions === present) return;
    await client(namespaces).updateStatus({ ...fresh, status: { ...fresh.status, conditions: [...conditions] } });
  });
}

async function finalize({ client, clock }: ControllerDependencies, key: ObjectKey): Promise<void> {
  await retryOnConflict(clock, async () => {
    const fresh = await ignoreNotFound(client(namespaces).get(key));
    if (fresh === undefined) return;
    const finalizers = (fresh.spec?.finalizers ?? []).filter((present) => present !== finalizer);
    const body: Namespace = { ...fresh, apiVersion: 'v1', kind: 'Namespace', spec: { ...fresh.spec, finalizers } };
    await ignoreNotFound(client(namespaces).updateSubresource<Namespace>(key, 'finalize', body));
  });
}
