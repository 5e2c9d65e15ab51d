import { configMap, defaultRequests, type PolicyCase, type PolicyRequest } from './policy-cases.ts';

/** An API server that policies are tried on. */
export interface PolicyTarget {
  call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly warning: string | undefined; readonly body: Readonly<Record<string, unknown>> }>;
  /** Waits a little before something is looked at again. */
  pause(): Promise<void>;
}

/** The answer of a server, without the parts that differ between servers. */
export interface PolicyAnswer {
  readonly code: number;
  readonly reason?: string;
  readonly message?: string;
  readonly causes?: readonly unknown[];
  readonly warning?: string;
  /** The object that a request has made; with MutatingAdmissionPolicies alone. */
  readonly object?: unknown;
}

/** The answers to the making of a policy, and to the requests that it judged. */
export interface PolicyVerdict {
  readonly policy: PolicyAnswer;
  readonly requests: readonly PolicyAnswer[];
}

/** The policies that are tried: kube-apiserver v1.32 has MutatingAdmissionPolicies in v1alpha1 only. */
export interface PolicySort {
  readonly sort: 'Mutating' | 'Validating';
  readonly version: string;
}

const groupName = 'admissionregistration.k8s.io';
const configMapRule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] };

/** Makes all policies, waits until they are in force and sends every case's requests, as dry runs. */
export async function replayPolicies(target: PolicyTarget, cases: readonly PolicyCase[], sort: PolicySort): Promise<PolicyVerdict[]> {
  const made: PolicyAnswer[] = [];
  for (const [index, one] of cases.entries()) await seedCase(target, namespaceOf(sort, index), one);
  for (const [index, one] of cases.entries()) made.push(await makePolicy(target, namespaceOf(sort, index), one, sort));
  const marker = namespaceOf(sort, 'marker');
  await makePolicy(target, marker, markers[sort.sort], sort);
  await target.call('POST', '/api/v1/namespaces', namespaceNamed(marker));
  while ((await send(target, marker, { method: 'POST', path: 'configmaps', body: configMap })).code === 201) await target.pause();
  for (let turn = 0; turn < 5; turn++) await target.pause();
  const verdicts: PolicyVerdict[] = [];
  for (const [index, one] of cases.entries()) {
    const requests: PolicyAnswer[] = [];
    for (const request of one.requests ?? defaultRequests) requests.push(await send(target, namespaceOf(sort, index), request, sort));
    const policy = made[index];
    if (policy) verdicts.push({ policy, requests });
  }
  return verdicts;
}

const failing = { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: object.none.none}]' } };
const markers: Readonly<Record<PolicySort['sort'], PolicyCase>> = {
  Validating: { name: 'marker', spec: { validations: [{ expression: 'false' }] } },
  Mutating: { name: 'marker', spec: { reinvocationPolicy: 'Never', mutations: [failing] } },
};

const namespaceOf = ({ sort }: PolicySort, place: number | string): string => `${sort === 'Validating' ? 'case' : 'mutation'}-${place}`;
const namespaceNamed = (name: string): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

async function seedCase(target: PolicyTarget, namespace: string, { seeds }: PolicyCase): Promise<void> {
  await target.call('POST', '/api/v1/namespaces', namespaceNamed(namespace));
  for (const [path, body] of seeds ?? []) await target.call('POST', placed(path, namespace), body);
}

async function makePolicy(target: PolicyTarget, name: string, { spec, binding }: PolicyCase, kind: PolicySort): Promise<PolicyAnswer> {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } };
  const { matchConstraints = { resourceRules: [configMapRule] }, ...rest } = spec as { readonly matchConstraints?: object | null };
  const policySpec = { ...rest, matchConstraints: matchConstraints && { namespaceSelector, ...matchConstraints } };
  const { warning: _, ...answer } = answerOf(await target.call('POST', `${pathOf(kind)}policies`, policyOf(kind, '', name, policySpec)));
  if (binding === null) return answer;
  const { matchResources, ...more } = (binding ?? {}) as { readonly matchResources?: object };
  const actions = kind.sort === 'Validating' ? { validationActions: ['Deny'] } : {};
  const bindingSpec = { policyName: name, ...actions, ...more, matchResources: { namespaceSelector, ...matchResources } };
  const bound = await target.call('POST', `${pathOf(kind)}policybindings`, policyOf(kind, 'Binding', name, bindingSpec));
  if (bound.status !== 201) throw new Error(JSON.stringify(bound.body));
  return answer;
}

const pathOf = ({ sort, version }: PolicySort): string => `/apis/${groupName}/${version}/${sort.toLowerCase()}admission`;

const policyOf = ({ sort, version }: PolicySort, suffix: string, name: string, spec: object): object => ({
  apiVersion: `${groupName}/${version}`,
  kind: `${sort}AdmissionPolicy${suffix}`,
  metadata: { name },
  spec,
});

const placed = (path: string, namespace: string): string =>
  path.startsWith('/') ? path.replace('$NS', namespace) : `/api/v1/namespaces/${namespace}/${path}`;

async function send(
  target: PolicyTarget,
  namespace: string,
  { method, path, body }: PolicyRequest,
  kind?: PolicySort,
): Promise<PolicyAnswer> {
  const answer = await target.call(method, `${placed(path, namespace)}?dryRun=All`, body);
  if (kind?.sort !== 'Mutating' || answer.status >= 300) return answerOf(answer);
  const { metadata, ...rest } = answer.body as { readonly metadata?: Readonly<Record<string, unknown>> };
  const { labels, annotations, finalizers } = metadata ?? {};
  // Until v1.34 templates of Pods were shown with a time that is null.
  const shown = JSON.parse(
    JSON.stringify(rest).replaceAll('"creationTimestamp":null,', '').replaceAll('"creationTimestamp":null', ''),
  ) as object;
  return { ...answerOf(answer), object: { ...shown, metadata: { labels, annotations, finalizers } } };
}

function answerOf({ status, warning, body }: Awaited<ReturnType<PolicyTarget['call']>>): PolicyAnswer {
  const { reason, message, details } = body as { reason?: string; message?: string; details?: { causes?: readonly unknown[] } };
  const failure = status < 300 ? {} : { reason: reason ?? '', message: message ?? '', causes: details?.causes ?? [] };
  return { code: status, ...failure, ...(warning === undefined ? {} : { warning }) };
}
