import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { CELType } from '../../../api/cel/types/types.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { validatingAdmissionPolicies } from '../../../api/resources/admissionregistration/v1/validating-admission-policy.ts';
import { type CheckedKind, typeCheckPolicy } from '../../../api/semantics/admission/type-check-policy.ts';
import type { ValidatingAdmissionPolicySpec } from '../../../api/types/admissionregistration-v1.ts';
import type { APIResourceList } from '../../../api/types/meta-v1.ts';
import { type ControllerDependencies, defineController, done } from '../runtime/define-controller.ts';
import { readJSON } from '../runtime/read-json.ts';
import { matchedResources } from './matched-resources.ts';
import { type PublishedDocument, publishedType } from './published-types.ts';
import { rules } from './rbac.ts';

/** The most kinds for which one policy is type-checked. */
const maxKinds = 10;

/** Type-checks the expressions of ValidatingAdmissionPolicies by the schemas that the API publishes. */
export const validatingAdmissionPolicyStatus = defineController({
  name: 'validatingadmissionpolicy-status-controller',
  account: 'validatingadmissionpolicy-status-controller',
  for: validatingAdmissionPolicies,
  concerns: ({ metadata }, old) => metadata.generation !== old.metadata.generation,
  rules,
  async reconcile(key, dependencies) {
    const policy = dependencies.lister(validatingAdmissionPolicies).find(key);
    const { generation = 0 } = policy?.metadata ?? {};
    if (policy?.spec === undefined || generation <= (policy.status?.observedGeneration ?? 0)) return done;
    const published = createPublished(dependencies);
    const kinds = await checkedKinds(policy.spec, published);
    const expressionWarnings = typeCheckPolicy(policy.spec, kinds, await paramType(policy.spec, published));
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: key.name },
      status: { observedGeneration: generation, typeChecking: expressionWarnings.length > 0 ? { expressionWarnings } : {} },
    };
    const options = { subresource: 'status', fieldManager: 'validatingadmissionpolicy-status', force: true };
    await ignoreNotFound(dependencies.client(validatingAdmissionPolicies).patch(key, { type: 'apply', body }, options));
    return done;
  },
});

/** Reads the OpenAPI schemas that the API serves; a group version that is not served is undefined. */
interface Published {
  resources(groupVersion: string): Promise<APIResourceList | undefined>;
  document(groupVersion: string): Promise<PublishedDocument | undefined>;
}

function createPublished({ client, signal }: ControllerDependencies): Published {
  const kept = new Map<string, Promise<unknown>>();
  const read = async <T>(path: string): Promise<T | undefined> => {
    const known = kept.get(path);
    const answer =
      known ??
      readJSON(client, path, new URLSearchParams(), signal).catch((error: unknown) => {
        if (hasReason(error, 'NotFound')) return undefined;
        throw error;
      });
    kept.set(path, answer);
    return answer as Promise<T | undefined>;
  };
  const pathOf = (groupVersion: string) => (groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`);
  return {
    resources: (groupVersion) => read(`/${pathOf(groupVersion)}`),
    document: (groupVersion) => read(`/openapi/v3/${pathOf(groupVersion)}`),
  };
}

const groupVersionOf = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`);

async function checkedKinds(spec: DeepReadonly<ValidatingAdmissionPolicySpec>, published: Published): Promise<CheckedKind[]> {
  const kinds = new Map<string, { readonly group: string; readonly version: string; readonly kind: string }>();
  for (const { group, version, resource } of matchedResources(spec)) {
    if (kinds.size >= maxKinds) break;
    const list = await published.resources(groupVersionOf(group, version));
    const kind = list?.resources.find(({ name }) => name === resource)?.kind;
    if (kind !== undefined) kinds.set(`${group}/${version}, Kind=${kind}`, { group, version, kind });
  }
  const checked: CheckedKind[] = [];
  for (const [name, { group, version, kind }] of [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const type = await typeOf(published, group, version, kind);
    if (type) checked.push({ name, type });
  }
  return checked;
}

async function typeOf(published: Published, group: string, version: string, kind: string): Promise<CELType | undefined> {
  const document = await published.document(groupVersionOf(group, version));
  return document && publishedType(document, group, version, kind);
}

async function paramType({ paramKind }: DeepReadonly<ValidatingAdmissionPolicySpec>, published: Published): Promise<CELType | undefined> {
  if (paramKind === undefined) return undefined;
  const { apiVersion = '', kind = '' } = paramKind;
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return typeOf(published, group, version, kind);
}
