import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { internalError, namespaceTerminating } from '../../../../api/meta/status-errors.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { localSubjectAccessReviews } from '../../../../api/resources/authorization/v1/local-subject-access-review.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import type { Namespace } from '../../../../api/types/core-v1.ts';
import { type AdmissionDependencies, type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { isResource, refuse, shownName } from '../admission-request.ts';

const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/**
 * The milliseconds after the deletion of a namespace through this server for which the informer is not believed when it shows the namespace
 * as active.
 */
const distrustMs = 30_000;
const maxDistrusted = 100;
const distrusted = new WeakMap<AdmissionDependencies, Map<string, number>>();

/** Protects system Namespaces from deletion, and refuses new objects in missing or terminating ones. */
export const namespaceLifecycle = defineAdmissionPlugin({
  name: 'NamespaceLifecycle',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  reads: [namespaces],
  async admit(request, dependencies) {
    const isDelete = request.operation === 'DELETE';
    if (isResource(request, namespaces)) {
      if (!isDelete || request.subresource !== '') return;
      if (immortal.has(request.name)) throw refuse(request, 'this namespace may not be deleted');
      distrust(dependencies, request.name);
      return;
    }
    if (request.namespace === '' || isDelete) return;
    // A message about a namespace would reveal its existence to users who may not know of it.
    if (isResource(request, localSubjectAccessReviews)) return;
    const namespace = await findNamespace(request, dependencies);
    if (request.operation === 'CREATE' && namespace.status?.phase === 'Terminating') {
      throw namespaceTerminating(request.resource, shownName(request), request.namespace);
    }
  },
});

async function findNamespace({ namespace: name }: AdmissionRequest, dependencies: AdmissionDependencies): Promise<DeepReadonly<Namespace>> {
  const { lister, client, clock } = dependencies;
  const key = { namespace: '', name };
  const known = lister(namespaces).find(key);
  const distrustedUntilMs = distrusted.get(dependencies)?.get(name) ?? 0;
  if (known && (known.status?.phase === 'Terminating' || distrustedUntilMs < clock.nowMs())) return known;
  try {
    return await client(namespaces).get(key);
  } catch (error) {
    if (hasReason(error, 'NotFound')) throw error;
    throw internalError(error instanceof Error ? error.message : String(error));
  }
}

function distrust(dependencies: AdmissionDependencies, name: string): void {
  let names = distrusted.get(dependencies);
  if (!names) distrusted.set(dependencies, (names = new Map()));
  names.delete(name);
  names.set(name, dependencies.clock.nowMs() + distrustMs);
  const [oldest] = names.keys();
  if (names.size > maxDistrusted && oldest !== undefined) names.delete(oldest);
}
