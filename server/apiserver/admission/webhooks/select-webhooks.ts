import { internalError } from '../../../../api/meta/status-errors.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { refuse } from '../admission-request.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../admission.ts';
import { type MatchedResource, matchRequest } from '../matching/match-request.ts';
import { type CompiledWebhook, createWebhookSource } from './compile-webhooks.ts';

const configurationGroup = 'admissionregistration.k8s.io';
/** Kinds that no webhook is asked about: it could not be mended any more where it refuses everything. */
const exemptKinds: ReadonlySet<string> = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

/** How long a request waits for the configurations to be known. */
const maxWaitMs = 10_000;

type Sources = WeakMap<AdmissionDependencies, () => readonly CompiledWebhook[]>;

/** Creates the function that finds the webhooks of all configurations of a resource, or none for kinds that are exempt. */
export function createWebhookFinder<T extends KubeObject>(
  configurations: ResourceDefinition<T>,
): (request: AdmissionRequest, dependencies: AdmissionDependencies) => Promise<readonly CompiledWebhook[]> {
  const sources: Sources = new WeakMap();
  const resource = configurations as unknown as ResourceDefinition;
  return async (request, dependencies) => {
    if (request.kind.group === configurationGroup && exemptKinds.has(request.kind.kind)) return [];
    await whenReady(resource, request, dependencies);
    let source = sources.get(dependencies);
    if (!source) sources.set(dependencies, (source = createWebhookSource(dependencies.lister(configurations) as never)));
    return source();
  };
}

/** Rejects with 403 where the configurations or the namespaces are not known in time. */
async function whenReady(resource: ResourceDefinition, request: AdmissionRequest, { synced }: AdmissionDependencies): Promise<void> {
  const known = await Promise.all([resource, namespaces as unknown as ResourceDefinition].map((one) => synced(one, maxWaitMs)));
  if (known.includes(false)) throw refuse(request, 'not yet ready to handle request');
}

/** The resource as which a webhook is to be asked about a request; undefined: it is not to be asked. Throws a StatusError. */
export async function selectWebhook(
  hook: CompiledWebhook,
  request: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<MatchedResource | undefined> {
  if (typeof hook.criteria === 'string') throw internalError(hook.criteria);
  const matching = matchRequest(hook.criteria, request, dependencies);
  return matching instanceof Promise ? await matching : matching;
}
