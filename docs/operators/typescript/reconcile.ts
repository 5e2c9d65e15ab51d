import {
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  KubernetesObjectApi,
  type KubernetesObject,
  PatchStrategy,
  setHeaderOptions,
  type V1Deployment,
} from '@kubernetes/client-node';
import { isDeepStrictEqual } from 'node:util';
import { isOwnedBy, managedBy, planChildren, planStatus, type Problem } from './plan.ts';
import { codeOf, ifFound, messageOf } from './runtime/api-error.ts';
import type { Recorder } from './runtime/events.ts';
import { finalizer, findOwner, group, hostOf, keyOf, plural, type Website, type WebsiteStatus } from './website.ts';

interface ReconcileDependencies {
  readonly kubeConfig: KubeConfig;
  /** The namespace of the operator, in which the directory is. */
  readonly namespace: string;
  readonly record: Recorder;
  find(key: string): Website | undefined;
  list(): readonly Website[];
}

/** Times in objects have seconds, not parts of them. */
const toTime = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** Makes what exists equal to what a Website says. Called again and again, at any time, with nothing but a key. */
export function createReconciler(dependencies: ReconcileDependencies): (key: string) => Promise<void> {
  const { find, list, record } = dependencies;
  const writer = createWriter(dependencies);
  const objects = KubernetesObjectApi.makeApiClient(dependencies.kubeConfig);

  const applyChildren = async (website: Website): Promise<V1Deployment | Problem> => {
    const owner = findOwner(list(), hostOf(website));
    if (owner && keyOf(owner) !== keyOf(website))
      return { reason: 'HostTaken', message: `${hostOf(website)} belongs to the website ${keyOf(owner)}` };
    let deployment: V1Deployment | undefined;
    for (const child of planChildren(website)) {
      const applied = await applyChild(objects, website, child);
      if ('reason' in applied) return applied as Problem;
      if (applied.kind === 'Deployment') deployment = applied;
    }
    await writer.setDirectoryEntry(website, hostOf(website));
    return deployment ?? { reason: 'NoDeployment', message: 'the plan has no Deployment' };
  };

  return async (key) => {
    const website = find(key);
    if (!website) return;
    const finalizers = website.metadata?.finalizers ?? [];
    if (website.metadata?.deletionTimestamp) {
      if (!finalizers.includes(finalizer)) return;
      // Children go by their owner references; the entry is in another namespace, so it cannot.
      await ifFound(writer.setDirectoryEntry(website, null));
      const note = `removed ${hostOf(website)} from the directory`;
      await record(website, { type: 'Normal', reason: 'CleanedUp', action: 'Finalize', note });
      const others = finalizers.filter((name) => name !== finalizer);
      await ifFound(writer.setFinalizers(website, others));
      return;
    }
    // Before anything is made: otherwise a deletion in between would leave it behind. The update brings the key again.
    if (!finalizers.includes(finalizer)) return void (await writer.setFinalizers(website, [...finalizers, finalizer]));
    let rejection: unknown;
    const found = await applyChildren(website).catch((error: unknown) => {
      if (![403, 422].includes(codeOf(error) ?? 0)) throw error;
      rejection = error;
      return { reason: 'Rejected', message: messageOf(error) };
    });
    await writer.setStatus(website, planStatus(website, found, toTime(new Date())));
    // Told in the status, and tried again later and later: others may mend it.
    if (rejection !== undefined) throw rejection;
  };
}

/** The writes to Websites and to the directory. */
function createWriter({ kubeConfig, namespace, record }: ReconcileDependencies) {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const at = ({ metadata }: Website) => ({
    group,
    version: 'v1',
    plural,
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
  });
  // With the resourceVersion: if the cached Website is an old one, the answer is 409 and the key comes again.
  const versionOf = ({ metadata }: Website) => ({ resourceVersion: metadata?.resourceVersion });
  return {
    setFinalizers: (website: Website, finalizers: readonly string[]): Promise<unknown> =>
      custom.patchNamespacedCustomObject({ ...at(website), body: { metadata: { ...versionOf(website), finalizers } } }, mergePatch),

    setDirectoryEntry(website: Website, host: string | null): Promise<unknown> {
      const body = { data: { [keyOf(website).replace('/', '.')]: host } };
      return core.patchNamespacedConfigMap({ namespace, name: 'website-directory', body }, mergePatch);
    },

    async setStatus(website: Website, status: WebsiteStatus): Promise<void> {
      if (isDeepStrictEqual(status, website.status)) return;
      await custom.patchNamespacedCustomObjectStatus({ ...at(website), body: { metadata: versionOf(website), status } }, mergePatch);
      const [before, after] = [website.status?.conditions?.[0], status.conditions?.[0]];
      if (!after || (before?.status === after.status && before.reason === after.reason)) return;
      const isWarning = after.status !== 'True' && after.reason !== 'Progressing';
      await record(website, { type: isWarning ? 'Warning' : 'Normal', reason: after.reason, action: 'Reconcile', note: after.message });
    },
  };
}

/** The child as it is after server-side apply, or why it cannot be had: an object that is not ours is never taken over. */
async function applyChild(objects: KubernetesObjectApi, website: Website, child: KubernetesObject): Promise<KubernetesObject | Problem> {
  const { apiVersion = '', kind = '', metadata = {} } = child;
  const key = { apiVersion, kind, metadata: { name: metadata.name ?? '', namespace: metadata.namespace ?? '' } };
  const existing = await ifFound(objects.read(key));
  if (existing && !isOwnedBy(existing, website))
    return { reason: 'NameTaken', message: `there is a ${kind} ${metadata.name} that does not belong to this website` };
  return await objects.patch(child, undefined, undefined, managedBy, true, PatchStrategy.ServerSideApply);
}
