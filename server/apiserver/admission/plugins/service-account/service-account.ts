import { sleep } from '../../../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../../../api/client/ignore-not-found.ts';
import { notFound } from '../../../../../api/meta/status-errors.ts';
import { pods } from '../../../../../api/resources/core/v1/pod.ts';
import { serviceAccounts } from '../../../../../api/resources/core/v1/service-account.ts';
import { isMirrorPod } from '../../../../../api/semantics/pods/pod-phase.ts';
import type { Pod, ServiceAccount } from '../../../../../api/types/core-v1.ts';
import { type AdmissionDependencies, type AdmissionRequest, defineAdmissionPlugin } from '../../admission.ts';
import { newObject, refuse } from '../../admission-request.ts';
import { findForbiddenReference, findMirrorReference } from './secret-references.ts';
import { mountToken } from './token-volume.ts';

const defaultName = 'default';
/** The default account of a new namespace is made by a controller: it may take a moment. */
const defaultAttempts = 10;
const enforceAnnotation = 'kubernetes.io/enforce-mountable-secrets';

/** Gives a Pod its ServiceAccount, the account's token as a volume, and its pull secrets; refuses accounts that do not exist. */
export const serviceAccount = defineAdmissionPlugin({
  name: 'ServiceAccount',
  operations: ['CREATE', 'UPDATE'],
  resources: [pods],
  reads: [serviceAccounts],
  async admit(request, dependencies) {
    const pod = request.operation === 'CREATE' ? newObject(request, pods) : undefined;
    if (!pod?.spec) return;
    // The kubelet would restart a static pod that differs from its manifest.
    if (isMirrorPod(pod)) return checkMirror(request, pod);
    const { spec } = pod;
    spec.serviceAccountName ||= defaultName;
    spec.serviceAccount = spec.serviceAccountName;
    const account = await findAccount(request, spec.serviceAccountName, dependencies);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, dependencies.random);
    if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets) {
      spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
    }
  },
  async validate(request, dependencies) {
    const subresource = request.operation === 'CREATE' ? '' : 'ephemeralcontainers';
    const pod: DeepReadonly<Pod> | undefined = newObject(request, pods, subresource);
    if (!pod?.spec) return;
    if (isMirrorPod(pod)) return checkMirror(request, pod);
    const { serviceAccountName: name = '' } = pod.spec;
    if (name === '') throw refuse(request, `no service account specified for pod ${request.namespace}/${request.name}`);
    const account = await findAccount(request, name, dependencies);
    if (!isTrue(account.metadata.annotations?.[enforceAnnotation])) return;
    const problem = findForbiddenReference(pod.spec, account);
    if (problem !== undefined) throw refuse(request, problem);
  },
});

function checkMirror(request: AdmissionRequest, pod: DeepReadonly<Pod>): void {
  const reference = findMirrorReference(pod);
  if (reference !== undefined) throw refuse(request, `a mirror pod may not ${reference}`);
}

async function findAccount(
  request: AdmissionRequest,
  name: string,
  dependencies: AdmissionDependencies,
): Promise<DeepReadonly<ServiceAccount>> {
  const { lister, client, clock, random } = dependencies;
  const key = { namespace: request.namespace, name };
  const known = lister(serviceAccounts).find(key);
  if (known) return known;
  const intervalMs = 100 + random.next() * 100;
  for (let attempt = 0; attempt < (name === defaultName ? defaultAttempts : 1); attempt++) {
    if (attempt > 0) await sleep(clock, intervalMs);
    const found = await ignoreNotFound(client(serviceAccounts).get(key));
    if (found) return found;
  }
  const { message } = notFound({ group: '', resource: 'serviceaccount' }, name);
  throw refuse(request, `error looking up service account ${request.namespace}/${name}: ${message}`);
}

/** The texts that Go's ParseBool takes for true. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);
}
