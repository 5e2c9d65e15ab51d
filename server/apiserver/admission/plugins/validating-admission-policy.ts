import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { StatusError } from '../../../../api/meta/status.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { validatingAdmissionPolicies } from '../../../../api/resources/admissionregistration/v1/validating-admission-policy.ts';
import { validatingAdmissionPolicyBindings } from '../../../../api/resources/admissionregistration/v1/validating-admission-policy-binding.ts';
import type { Decision, PolicyResult } from '../../../../api/semantics/admission/evaluate-policy.ts';
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../../../api/types/admissionregistration-v1.ts';
import type { Namespace } from '../../../../api/types/core-v1.ts';
import type { PolicyErrorType } from '../../metrics/policy-metrics.ts';
import { type AdmissionDependencies, type AdmissionPlugin, type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { refuse } from '../admission-request.ts';
import { createVariables, type MatchedObjects, matchedObjects } from '../expressions/create-input.ts';
import type { RequestExpressions } from '../expressions/expressions.ts';
import { findNamespace, type MatchedResource, matchRequest } from '../matching/match-request.ts';
import { ConfigurationError, findParamResource, findParams, paramVariable } from '../policies/find-params.ts';
import { createPolicyHooks, isExemptFromPolicies, type PolicyBinding, type PolicyHook } from '../policies/policy-hooks.ts';

type Hook = PolicyHook<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>;
type Binding = PolicyBinding<ValidatingAdmissionPolicyBinding>;

const hooksOf = createPolicyHooks(validatingAdmissionPolicies, validatingAdmissionPolicyBindings);

/** Refuses, warns of and audits requests that ValidatingAdmissionPolicies do not admit. */
export const validatingAdmissionPolicy = defineAdmissionPlugin({
  name: 'ValidatingAdmissionPolicy',
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
  reads: [validatingAdmissionPolicies, validatingAdmissionPolicyBindings, namespaces] as unknown as NonNullable<AdmissionPlugin['reads']>,
  async validate(request, dependencies) {
    if (isExemptFromPolicies(request)) return;
    const hooks = hooksOf(dependencies);
    if (hooks.length === 0) return;
    const review: Review = { request, dependencies, expressions: dependencies.expressions.for(request), denials: [] };
    for (const hook of hooks) {
      const matched = await attempt(review, hook, undefined, () => matchRequest(hook.criteria, request, dependencies));
      if (matched) await reviewPolicy(review, hook, matched);
    }
    const [first] = review.denials;
    if (first) throw refusal(request, first);
  },
});

interface Denial {
  readonly message: string;
  /** '' for errors: they are invalid. */
  readonly reason: string;
}

/** The evaluation of all policies for one request. */
interface Review {
  readonly request: AdmissionRequest;
  readonly dependencies: AdmissionDependencies;
  readonly expressions: RequestExpressions;
  readonly denials: Denial[];
}

const nameOf = (object: DeepReadonly<KubeObject>): string => object.metadata.name ?? '';

function deny({ denials }: Review, { policy }: Hook, binding: Binding | undefined, { message, reason }: Denial): void {
  const by = binding ? ` with binding '${nameOf(binding.binding)}'` : '';
  denials.push({ message: `ValidatingAdmissionPolicy '${nameOf(policy)}'${by} denied request: ${message}`, reason });
}

/**
 * Runs a step that a wrong policy or binding may make impossible, and returns undefined in that case; the policy's failurePolicy decides.
 */
async function attempt<T>(review: Review, hook: Hook, binding: Binding | undefined, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigurationError || error instanceof StatusError)) throw error;
    if (hook.policy.spec?.failurePolicy !== 'Ignore')
      deny(review, hook, binding, { message: `failed to configure ${binding ? 'binding' : 'policy'}: ${error.message}`, reason: '' });
    return undefined;
  }
}

async function reviewPolicy(review: Review, hook: Hook, matched: MatchedResource): Promise<void> {
  const { request, dependencies } = review;
  const paramKind = hook.policy.spec?.paramKind;
  const found = await attempt(review, hook, undefined, () => ({ resource: findParamResource(paramKind, dependencies) }));
  if (!found) return;
  let objects: MatchedObjects | undefined;
  const annotations = new Map<string, string[]>();
  for (const binding of hook.bindings) {
    const { criteria } = binding;
    if (criteria && !(await attempt(review, hook, binding, () => matchRequest(criteria, request, dependencies)))) continue;
    const params = await attempt(review, hook, binding, () =>
      findParams(found.resource, binding.binding.spec?.paramRef, request.namespace, dependencies),
    );
    if (!params) continue;
    objects ??= await matchedObjects(request, matched);
    const namespace = request.namespace === '' ? undefined : await findNamespace(request.namespace, dependencies);
    for (const param of params) {
      const result = await evaluate(review, hook, { matched, objects, namespace, params: paramVariable(param, found.resource) });
      enforce(review, hook, binding, result);
      for (const annotation of result.annotations) {
        if (annotation.kind === 'error') refuseForAnnotation(review, hook, binding, annotation);
        else annotations.set(annotation.key, [...(annotations.get(annotation.key) ?? []), cutValue(annotation.value)]);
      }
    }
  }
  for (const [key, values] of annotations) request.annotate?.(`${nameOf(hook.policy)}/${key}`, [...new Set(values)].join(', '));
}

interface Inputs {
  readonly matched: MatchedResource;
  readonly objects: MatchedObjects;
  readonly namespace: DeepReadonly<Namespace> | undefined;
  readonly params: unknown;
}

function evaluate(
  { request, expressions }: Review,
  { policy }: Hook,
  { matched, objects, ...more }: Inputs,
): PolicyResult | Promise<PolicyResult> {
  const variables = createVariables(request, matched, objects, more);
  return expressions.evaluate<'validate'>({ kind: 'validate', spec: policy.spec ?? {} }, variables);
}

const maxAnnotationBytes = 10 * 1024;

function cutValue(value: string): string {
  if (value.length * 3 <= maxAnnotationBytes) return value;
  return new TextDecoder().decode(new TextEncoder().encode(value).subarray(0, maxAnnotationBytes));
}

function errorTypeOf({ evaluation, message }: Pick<Decision, 'evaluation' | 'message'>): PolicyErrorType {
  if (evaluation === 'admit') return 'no_error';
  if (message.startsWith('compilation')) return 'compile_error';
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error';
}

function enforce(review: Review, hook: Hook, binding: Binding, { decisions }: PolicyResult): void {
  const { request, dependencies } = review;
  const policyName = nameOf(hook.policy);
  const bindingName = nameOf(binding.binding);
  const validationActions = binding.binding.spec?.validationActions ?? [];
  for (const [expressionIndex, decision] of decisions.entries()) {
    const { message, seconds } = decision;
    const observe = (action: 'allow' | 'audit' | 'deny' | 'warn') =>
      dependencies.policyMetrics.observe(policyName, bindingName, errorTypeOf(decision), action, seconds);
    if (decision.action === 'admit') {
      if (decision.evaluation === 'error') observe('allow');
      continue;
    }
    for (const action of validationActions) {
      if (action === 'Deny') {
        deny(review, hook, binding, decision);
        observe('deny');
      } else if (action === 'Audit') {
        const failure = { message, policy: policyName, binding: bindingName, expressionIndex, validationActions };
        request.annotate?.('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]));
        observe('audit');
      } else {
        request.addWarning(`Validation failed for ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}': ${message}`);
        observe('warn');
      }
    }
  }
}

/** An annotation that fails denies, whatever the actions of the binding are. */
function refuseForAnnotation(
  review: Review,
  hook: Hook,
  binding: Binding,
  { error, seconds }: { readonly error: string; readonly seconds: number },
): void {
  deny(review, hook, binding, { message: error, reason: '' });
  const type = errorTypeOf({ evaluation: 'error', message: error });
  review.dependencies.policyMetrics.observe(nameOf(hook.policy), nameOf(binding.binding), type, 'deny', seconds);
}

const codes: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 };

function refusal(request: AdmissionRequest, { message, reason }: Denial): StatusError {
  const { status } = refuse(request, message);
  const causes = [...(status.details?.causes ?? []), { message }];
  return new StatusError({ ...status, reason: reason || 'Invalid', code: codes[reason] ?? 422, details: { ...status.details, causes } });
}
