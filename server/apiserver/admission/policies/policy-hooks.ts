import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import type { MatchResources, ParamKind, ParamRef } from '../../../../api/types/admissionregistration-v1.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../admission.ts';
import { compileMatchResources, type MatchCriteria } from '../matching/match-request.ts';

/** The parts that policies of both sorts share. */
interface AnyPolicy extends KubeObject {
  readonly spec?: { readonly matchConstraints?: MatchResources; readonly paramKind?: ParamKind };
}

interface AnyBinding extends KubeObject {
  readonly spec?: { readonly policyName?: string; readonly paramRef?: ParamRef; readonly matchResources?: MatchResources };
}

export interface PolicyBinding<B extends KubeObject> {
  readonly binding: DeepReadonly<B>;
  /** Absent: the binding does not narrow its policy. */
  readonly criteria: MatchCriteria | undefined;
}

/** A policy and the bindings that put it into force. */
export interface PolicyHook<P extends KubeObject, B extends KubeObject> {
  readonly policy: DeepReadonly<P>;
  readonly criteria: MatchCriteria;
  readonly bindings: readonly PolicyBinding<B>[];
}

const byName = (a: DeepReadonly<KubeObject>, b: DeepReadonly<KubeObject>): number =>
  (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;

/** Reads the policies that have bindings, in the order of their names. The result is made again when one has changed. */
export function createPolicyHooks<P extends AnyPolicy, B extends AnyBinding>(
  policies: ResourceDefinition<P>,
  bindings: ResourceDefinition<B>,
): (dependencies: Pick<AdmissionDependencies, 'lister'>) => readonly PolicyHook<P, B>[] {
  const kept = new WeakMap<object, { readonly versions: string; readonly hooks: readonly PolicyHook<P, B>[] }>();
  return ({ lister }) => {
    const [policyLister, bindingLister] = [lister(policies), lister(bindings)];
    const versions = `${policyLister.version()}/${bindingLister.version()}`;
    const known = kept.get(policyLister);
    if (known?.versions === versions) return known.hooks;
    const bound = Map.groupBy(bindingLister.list().toSorted(byName), ({ spec }) => spec?.policyName ?? '');
    const hooks = policyLister
      .list()
      .toSorted(byName)
      .flatMap((policy) => {
        const own = bound.get(policy.metadata.name ?? '');
        return own ? [hookOf(policy, own)] : [];
      });
    kept.set(policyLister, { versions, hooks });
    return hooks;
  };
}

function hookOf<P extends AnyPolicy, B extends AnyBinding>(
  policy: DeepReadonly<P>,
  bindings: readonly DeepReadonly<B>[],
): PolicyHook<P, B> {
  const { matchConstraints } = (policy as DeepReadonly<AnyPolicy>).spec ?? {};
  return {
    policy,
    criteria: compileMatchResources(matchConstraints ?? {}),
    bindings: bindings.map((binding) => {
      const { matchResources } = (binding as DeepReadonly<AnyBinding>).spec ?? {};
      return { binding, criteria: matchResources && compileMatchResources(matchResources) };
    }),
  };
}

/** Resources that no policy applies to: policies themselves, so that they can be mended, and questions about users and rights. */
const exempt: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
  'authentication.k8s.io/selfsubjectreviews',
  'authentication.k8s.io/tokenreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authorization.k8s.io/subjectaccessreviews',
]);

const exemptions = new WeakMap<ResourceDefinition, boolean>();

export function isExemptFromPolicies({ resource }: Pick<AdmissionRequest, 'resource'>): boolean {
  let isExempt = exemptions.get(resource);
  if (isExempt === undefined) {
    isExempt = exempt.has(`${resource.group}/${resource.names.plural}`);
    exemptions.set(resource, isExempt);
  }
  return isExempt;
}
