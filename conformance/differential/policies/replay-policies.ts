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

/** The answer of a server, without what differs from one to the next. */
export interface PolicyAnswer {
  readonly code: number;
  readonly reason?: string;
  readonly message?: string;
  readonly causes?: readonly unknown[];
  readonly warning?: string;
}

/** The answers to the making of a policy, and to the requests that it judged. */
export interface PolicyVerdict {
  readonly policy: PolicyAnswer;
  readonly requests: readonly PolicyAnswer[];
}

const registration = '/apis/admissionregistration.k8s.io/v1';
const configMapRule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] };

/** Makes all policies, waits until they are in force and sends every case's requests, as dry runs. */
export async function replayPolicies(target: PolicyTarget, cases: readonly PolicyCase[]): Promise<PolicyVerdict[]> {
  const made: PolicyAnswer[] = [];
  for (const [index, one] of cases.entries()) await seedCase(target, namespaceOf(index), one);
  for (const [index, one] of cases.entries()) made.push(await makePolicy(target, namespaceOf(index), one));
  await makePolicy(target, 'case-marker', { name: 'marker', spec: { validations: [{ expression: 'false' }] } });
  await target.call('POST', '/api/v1/namespaces', namespaceNamed('case-marker'));
  while ((await send(target, 'case-marker', { method: 'POST', path: 'configmaps', body: configMap })).code === 201) await target.pause();
  for (let turn = 0; turn < 5; turn++) await target.pause();
  const verdicts: PolicyVerdict[] = [];
  for (const [index, one] of cases.entries()) {
    const requests: PolicyAnswer[] = [];
    for (const request of one.requests ?? defaultRequests) requests.push(await send(target, namespaceOf(index), request));
    const policy = made[index];
    if (policy) verdicts.push({ policy, requests });
  }
  return verdicts;
}

const namespaceOf = (index: number): string => `case-${index}`;
const namespaceNamed = (name: string): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

async function seedCase(target: PolicyTarget, namespace: string, { seeds }: PolicyCase): Promise<void> {
  await target.call('POST', '/api/v1/namespaces', namespaceNamed(namespace));
  for (const [path, body] of seeds ?? []) await target.call('POST', placed(path, namespace), body);
}

async function makePolicy(target: PolicyTarget, name: string, { spec, binding }: PolicyCase): Promise<PolicyAnswer> {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } };
  const { matchConstraints = { resourceRules: [configMapRule] }, ...rest } = spec as { readonly matchConstraints?: object | null };
  const policySpec = { ...rest, matchConstraints: matchConstraints && { namespaceSelector, ...matchConstraints } };
  const answer = answerOf(await target.call('POST', `${registration}/validatingadmissionpolicies`, policyOf('', name, policySpec)));
  if (binding === null) return answer;
  const { matchResources, ...more } = (binding ?? {}) as { readonly matchResources?: object };
  const bindingSpec = { policyName: name, validationActions: ['Deny'], ...more, matchResources: { namespaceSelector, ...matchResources } };
  const bound = await target.call('POST', `${registration}/validatingadmissionpolicybindings`, policyOf('Binding', name, bindingSpec));
  if (bound.status !== 201) throw new Error(JSON.stringify(bound.body));
  return answer;
}

const policyOf = (suffix: string, name: string, spec: object): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: `ValidatingAdmissionPolicy${suffix}`,
  metadata: { name },
  spec,
});

const placed = (path: string, namespace: string): string =>
  path.startsWith('/') ? path.replace('$NS', namespace) : `/api/v1/namespaces/${namespace}/${path}`;

async function send(target: PolicyTarget, namespace: string, { method, path, body }: PolicyRequest): Promise<PolicyAnswer> {
  return answerOf(await target.call(method, `${placed(path, namespace)}?dryRun=All`, body));
}

function answerOf({ status, warning, body }: Awaited<ReturnType<PolicyTarget['call']>>): PolicyAnswer {
  const { reason, message, details } = body as { reason?: string; message?: string; details?: { causes?: readonly unknown[] } };
  const failure = status < 300 ? {} : { reason: reason ?? '', message: message ?? '', causes: details?.causes ?? [] };
  return { code: status, ...failure, ...(warning === undefined ? {} : { warning }) };
}
