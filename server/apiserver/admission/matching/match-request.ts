import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { internalError } from '../../../../api/meta/status-errors.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { type LabelMatcher, toLabelMatcher } from '../../../../api/selectors/label-selector.ts';
import type { MatchResources } from '../../../../api/types/admissionregistration-v1.ts';
import type { Namespace } from '../../../../api/types/core-v1.ts';
import { isSameResource, kindOf, namespaceOf } from '../admission-request.ts';
import type { AdmissionDependencies, AdmissionRequest, GroupVersionKind } from '../admission.ts';
import { getObject } from '../read-object.ts';
import type { EquivalentResources } from './equivalent-resources.ts';
import { type MatchRule, matchesRule } from './match-rule.ts';

/** The requests that a webhook, a policy or a binding is about, compiled once for each generation of its object. */
export interface MatchCriteria {
  /** The rules, of which one has to match. Undefined: every resource matches (a binding that does not narrow its policy). */
  readonly rules: readonly MatchRule[] | undefined;
  readonly excludedRules: readonly MatchRule[];
  readonly isExact: boolean;
  readonly namespaceSelector: LabelMatcher;
  readonly objectSelector: LabelMatcher;
}

/** The resource as which a request matched: the requested one, or an equivalent one to which its objects are converted. */
export interface MatchedResource {
  readonly resource: ResourceDefinition;
  readonly kind: GroupVersionKind;
}

export interface MatchingDependencies extends Pick<AdmissionDependencies, 'lister' | 'client'> {
  readonly equivalents: EquivalentResources;
}

/** Compiles the criteria of a webhook: none of its rules matches where it has none. Throws SelectorError. */
export function compileWebhookCriteria(
  webhook: DeepReadonly<Pick<MatchResources, 'matchPolicy' | 'namespaceSelector' | 'objectSelector'>> & {
    readonly rules?: readonly MatchRule[];
  },
): MatchCriteria {
  const { rules = [], ...selectors } = webhook;
  return { ...compileMatchResources(selectors), rules };
}

/** Compiles the criteria of a policy or a binding: every resource matches where it has no rules. Throws SelectorError. */
export function compileMatchResources(resources: DeepReadonly<MatchResources>): MatchCriteria {
  const { resourceRules = [], excludeResourceRules = [], matchPolicy, namespaceSelector, objectSelector } = resources;
  return {
    rules: resourceRules.length === 0 ? undefined : resourceRules,
    excludedRules: excludeResourceRules,
    isExact: matchPolicy !== 'Equivalent',
    namespaceSelector: toLabelMatcher(namespaceSelector),
    objectSelector: toLabelMatcher(objectSelector),
  };
}

/**
 * The resource as which the request matches the criteria, or undefined. Most answers are there at once; a namespace that the
 * informer does not know yet is asked for. Rejects with a StatusError where the rules match and the namespace is not found.
 */
export function matchRequest(
  criteria: MatchCriteria,
  request: AdmissionRequest,
  dependencies: MatchingDependencies,
): MatchedResource | undefined | Promise<MatchedResource | undefined> {
  const { equivalents } = dependencies;
  if (criteria.excludedRules.length > 0 && matchRules(criteria.excludedRules, criteria.isExact, request, equivalents)) return undefined;
  const matched = criteria.rules
    ? matchRules(criteria.rules, criteria.isExact, request, equivalents)
    : { resource: request.resource, kind: request.kind };
  if (!matched || !matchesObject(criteria.objectSelector, request)) return undefined;
  const labels = namespaceLabels(criteria.namespaceSelector, request, dependencies);
  if (labels === undefined) return matched;
  if (labels instanceof Promise) return labels.then((found) => (criteria.namespaceSelector.matches(found) ? matched : undefined));
  return criteria.namespaceSelector.matches(labels) ? matched : undefined;
}

/** The requested resource is tried first, then the rules in their order, each with the equivalent resources. */
function matchRules(
  rules: readonly MatchRule[],
  isExact: boolean,
  request: AdmissionRequest,
  equivalents: EquivalentResources,
): MatchedResource | undefined {
  const { operation, resource, subresource, name } = request;
  const subjectOf = ({ group, version, names }: ResourceDefinition) => ({
    ...{ operation, group, version, resource: names.plural, subresource, namespace: namespaceOf(request), name },
  });
  const own = subjectOf(resource);
  if (rules.some((rule) => matchesRule(rule, own))) return { resource, kind: request.kind };
  if (isExact) return undefined;
  const others = equivalents.of(resource, subresource);
  for (const rule of others.length === 0 ? [] : rules)
    for (const other of others) if (matchesRule(rule, subjectOf(other))) return { resource: other, kind: kindOf(other, subresource) };
  return undefined;
}

/** The new or the old object has to match; there is none of a CONNECT without options. */
function matchesObject(selector: LabelMatcher, { object, oldObject }: AdmissionRequest): boolean {
  if (selector.isEverything) return true;
  const matches = (one: AdmissionRequest['oldObject']) => one !== undefined && selector.matches(one.metadata?.labels);
  return matches(object) || matches(oldObject);
}

type Labels = Readonly<Record<string, string>>;

/** Undefined: the selector does not matter. Objects of the cluster are never exempt; Namespaces are selected by their own labels. */
function namespaceLabels(
  selector: LabelMatcher,
  request: AdmissionRequest,
  dependencies: MatchingDependencies,
): Labels | Promise<Labels> | undefined {
  if (selector.isEverything) return undefined;
  const { operation, resource, subresource, object } = request;
  const isNamespace = isSameResource(resource, namespaces as unknown as ResourceDefinition);
  if (request.namespace === '' && !isNamespace) return undefined;
  if (isNamespace && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')) return object?.metadata.labels ?? {};
  const found = findNamespace(namespaceOf(request), dependencies);
  return found instanceof Promise ? found.then(labelsOf) : labelsOf(found);
}

function labelsOf({ metadata }: DeepReadonly<Namespace>): Labels {
  return metadata.labels ?? {};
}

/** A namespace from the informer, or else asked for. Rejects with 404, or 500 for whatever else fails. */
export function findNamespace(
  name: string,
  dependencies: Pick<MatchingDependencies, 'lister' | 'client'>,
): DeepReadonly<Namespace> | Promise<DeepReadonly<Namespace>> {
  const key = { namespace: '', name };
  return (
    dependencies.lister(namespaces).find(key) ??
    getObject(dependencies, namespaces, key).catch((error: unknown) => {
      if (hasReason(error, 'NotFound')) throw error;
      throw internalError(error instanceof Error ? error.message : String(error));
    })
  );
}
