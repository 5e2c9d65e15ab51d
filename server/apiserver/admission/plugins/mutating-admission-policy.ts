import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../api/base/equality.ts';
import { formatJSON } from '../../../../api/base/format-json.ts';
import type { KubeObject, UntypedObject } from '../../../../api/meta/object.ts';
import { StatusError } from '../../../../api/meta/status.ts';
import { mutatingAdmissionPolicies } from '../../../../api/resources/admissionregistration/v1/mutating-admission-policy.ts';
import { mutatingAdmissionPolicyBindings } from '../../../../api/resources/admissionregistration/v1/mutating-admission-policy-binding.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '../../../../api/types/admissionregistration-v1.ts';
import { type AdmissionDependencies, type AdmissionPlugin, type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { refuse } from '../admission-request.ts';
import { createVariables, type MatchedObjects, matchedObjects } from '../expressions/create-input.ts';
import type { RequestExpressions } from '../expressions/expressions.ts';
import { convertObject } from '../matching/convert-object.ts';
import { findNamespace, type MatchedResource, matchRequest } from '../matching/match-request.ts';
import { applyMutation, MutationError, replaceContent } from '../policies/apply-mutation.ts';
import { ConfigurationError, findParamResource, findParams, paramVariable } from '../policies/find-params.ts';
import { createPolicyHooks, isExemptFromPolicies, type PolicyBinding, type PolicyHook } from '../policies/policy-hooks.ts';

type Hook = PolicyHook<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>;
type Binding = PolicyBinding<MutatingAdmissionPolicyBinding>;

const name = 'MutatingAdmissionPolicy';
const hooksOf = createPolicyHooks(mutatingAdmissionPolicies, mutatingAdmissionPolicyBindings);

/** Changes requests as MutatingAdmissionPolicies say. */
export const mutatingAdmissionPolicy = defineAdmissionPlugin({
  name,
  operations: ['CREATE', 'UPDATE', 'CONNECT'],
  reads: [mutatingAdmissionPolicies, mutatingAdmissionPolicyBindings, namespaces] as unknown as NonNullable<AdmissionPlugin['reads']>,
  async admit(request, dependencies) {
    if (isExemptFromPolicies(request)) return;
    const hooks = hooksOf(dependencies);
    if (hooks.length === 0) return;
    const run: Run = { request, dependencies, expressions: dependencies.expressions.for(request), failures: [] };
    const invocations: Invocation[] = [];
    for (const hook of hooks) invocations.push(...(await invocationsOf(run, hook)));
    if (invocations.length > 0) await mutate(run, invocations);
    if (run.failures.length > 0) throw refusal(request, run.failures);
  },
});

interface Failure {
  readonly message: string;
  /** A failed expression and not a wrong configuration. */
  readonly isInvalid: boolean;
}

/** The run of all policies for one request. */
interface Run {
  readonly request: AdmissionRequest;
  readonly dependencies: AdmissionDependencies;
  readonly expressions: RequestExpressions;
  readonly failures: Failure[];
}

/** A policy with one of its bindings and one parameter. */
interface Invocation {
  readonly hook: Hook;
  readonly binding: Binding;
  readonly matched: MatchedResource;
  readonly params: unknown;
  readonly key: string;
}

const nameOf = (object: DeepReadonly<KubeObject>): string => object.metadata.name ?? '';

function fail({ failures }: Run, { policy }: Hook, binding: Binding | undefined, message: string, isInvalid: boolean): void {
  if (policy.spec?.failurePolicy === 'Ignore') return;
  const by = binding ? `policy '${nameOf(policy)}' with binding '${nameOf(binding.binding)}'` : `policy "${nameOf(policy)}"`;
  failures.push({ message: `${by} denied request: ${message}`, isInvalid });
}

/** Runs a step that a wrong policy or binding may make impossible, and returns undefined in that case. */
async function attempt<T>(run: Run, hook: Hook, binding: Binding | undefined, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigurationError || error instanceof StatusError)) throw error;
    fail(run, hook, binding, `failed to configure ${binding ? 'binding' : 'policy'}: ${error.message}`, false);
    return undefined;
  }
}

async function invocationsOf(run: Run, hook: Hook): Promise<Invocation[]> {
  const { request, dependencies } = run;
  const { paramKind } = hook.policy.spec ?? {};
  const matched = await attempt(run, hook, undefined, () => matchRequest(hook.criteria, request, dependencies));
  if (!matched) return [];
  const found = await attempt(run, hook, undefined, () => ({ resource: findParamResource(paramKind, dependencies) }));
  if (!found) return [];
  const invocations: Invocation[] = [];
  for (const binding of hook.bindings) {
    const { criteria } = binding;
    if (criteria && !(await attempt(run, hook, binding, () => matchRequest(criteria, request, dependencies)))) continue;
    const { paramRef } = binding.binding.spec ?? {};
    const params = await attempt(run, hook, binding, () => findParams(found.resource, paramRef, request.namespace, dependencies));
    for (const param of params ?? []) {
      const key = JSON.stringify([nameOf(hook.policy), nameOf(binding.binding), param?.metadata.namespace, param?.metadata.name]);
      invocations.push({ hook, binding, matched, params: paramVariable(param, found.resource), key });
    }
  }
  return invocations;
}

/** Notes of the first run of the mutating phase for its second. */
interface Rounds {
  /** Invocations with reinvocationPolicy IfNeeded since the object changed last. */
  invoked: Set<string>;
  readonly again: Set<string>;
  output: string;
}

function roundsOf({ reinvocation: { notes } }: AdmissionRequest): Rounds {
  let rounds = notes.get(name) as Rounds | undefined;
  if (!rounds) notes.set(name, (rounds = { invoked: new Set(), again: new Set(), output: '' }));
  return rounds;
}

function invokeAgain(rounds: Rounds): void {
  for (const key of rounds.invoked) rounds.again.add(key);
  rounds.invoked = new Set();
}

async function mutate(run: Run, invocations: readonly Invocation[]): Promise<void> {
  const { request } = run;
  const rounds = roundsOf(request);
  const { isSecondRun } = request.reinvocation;
  if (isSecondRun && rounds.invoked.size > 0 && rounds.output !== formatJSON(request.object)) invokeAgain(rounds);
  let isChanged = false;
  for (const invocation of invocations) {
    const objects = await matchedObjects(request, invocation.matched);
    if (!(await passesConditions(run, invocation, objects))) continue;
    if (isSecondRun && !rounds.again.has(invocation.key)) continue;
    if (await mutateOnce(run, invocation, objects)) {
      isChanged = true;
      invokeAgain(rounds);
      request.reinvocation.isWanted = true;
    }
    if (invocation.hook.policy.spec?.reinvocationPolicy === 'IfNeeded') rounds.invoked.add(invocation.key);
  }
  if (isChanged) invokeAgain(rounds);
  if (rounds.invoked.size > 0) rounds.output = formatJSON(request.object);
}

async function passesConditions(run: Run, { hook, binding, matched, params }: Invocation, objects: MatchedObjects): Promise<boolean> {
  const { matchConditions = [], paramKind, failurePolicy } = hook.policy.spec ?? {};
  if (matchConditions.length === 0) return true;
  const result = await run.expressions.evaluate<'conditions'>(
    { kind: 'conditions', conditions: matchConditions, hasParams: paramKind !== undefined, ignoresFailures: failurePolicy === 'Ignore' },
    createVariables(run.request, matched, objects, { params }),
  );
  if (result.kind === 'failed') fail(run, hook, binding, result.error, true);
  return result.kind === 'matches';
}

/** Applies all mutations of one invocation. Returns whether the object has changed. */
async function mutateOnce(run: Run, { hook, binding, matched, params }: Invocation, objects: MatchedObjects): Promise<boolean> {
  const { request, dependencies, expressions } = run;
  const { object: before, oldObject } = objects;
  const { spec } = hook.policy;
  if (before === undefined || request.object === undefined || spec === undefined) return false;
  const namespace = request.namespace === '' ? undefined : await findNamespace(request.namespace, dependencies);
  let object: DeepReadonly<UntypedObject> = before;
  for (const index of (spec.mutations ?? []).keys()) {
    const variables = createVariables(request, matched, { object, oldObject }, { namespace, params });
    const mutation = await expressions.evaluate<'mutate'>({ kind: 'mutate', spec, index }, variables);
    try {
      object = applyMutation(object, matched.resource, mutation, dependencies.clock.nowMs());
    } catch (error) {
      if (!(error instanceof MutationError)) throw error;
      fail(run, hook, binding, error.message, true);
    }
  }
  if (object === before || isSemanticallyEqual(object, before)) return false;
  const isOwn = matched.resource === request.resource;
  replaceContent(request.object, isOwn ? object : await convertObject(object, matched.resource, request.resource, request));
  return true;
}

/** 403 with the first failure's message, and all of them as causes. */
function refusal(request: AdmissionRequest, failures: readonly Failure[]): StatusError {
  const { status } = refuse(request, 'admission request denied by policy');
  const [first] = failures;
  const causes = [...(status.details?.causes ?? []), ...failures.map(({ message }) => ({ message }))];
  return new StatusError({
    ...status,
    message: first?.message ?? '',
    reason: first?.isInvalid === true ? 'Invalid' : 'Forbidden',
    details: { ...status.details, causes },
  });
}
