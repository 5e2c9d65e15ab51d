import type { DeepReadonly } from '../base/deep-readonly.ts';
import { isEqual, isSemanticallyEqual } from '../base/equality.ts';
import { quote } from '../base/quote.ts';
import { findCondition, isConditionTrue, withCondition } from '../meta/conditions.ts';
import { formatTime } from '../meta/time.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../types/apiextensions-v1.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;
type Names = DeepReadonly<CustomResourceDefinitionNames>;
type Condition = CustomResourceDefinitionCondition;
/** A condition without its time. */
type Finding = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * The status that a CustomResourceDefinition should have: names that no other definition of its group has, and the conditions
 * NamesAccepted, Established, NonStructuralSchema and KubernetesAPIApprovalPolicyConformant. undefined: it has it.
 */
export function planDefinitionStatus(crd: CRD, others: Iterable<CRD>, nowMs: number): CustomResourceDefinitionStatus | undefined {
  const { status } = crd;
  const naming = acceptNames(crd, others);
  let conditions = (status?.conditions ?? []) as readonly Condition[];
  const set = (finding: Finding) => {
    conditions = withCondition(conditions, { ...finding, lastTransitionTime: formatTime(nowMs) });
  };
  const established = findCondition(conditions, 'Established');
  set(naming.condition);
  if (established?.status !== 'True') set(naming.condition.status === 'True' ? establishedFinding : notAccepted(established));
  const approval = findApproval(crd);
  if (approval) set(approval);
  const structure = findStructuralProblem(crd);
  if (structure) set(structure);
  else if (findCondition(conditions, structureType)) conditions = conditions.filter(({ type }) => type !== structureType);
  const areNamesNew = !isSemanticallyEqual(status?.acceptedNames, naming.names);
  if (!areNamesNew && isEqual(conditions, status?.conditions ?? [])) return undefined;
  return { ...(status as CustomResourceDefinitionStatus), acceptedNames: naming.names, conditions: [...conditions] };
}

const establishedFinding: Finding = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
};

function notAccepted(present: Finding | undefined): Finding {
  return present ?? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
}

/** The names that are free or the definition's own already; those that are taken keep their former value. */
function acceptNames({ spec, status, metadata }: CRD, others: Iterable<CRD>): { names: CustomResourceDefinitionNames; condition: Finding } {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of others) {
    if (other.spec.group !== spec.group || other.metadata.name === metadata.name) continue;
    const { plural, singular, shortNames = [], kind, listKind } = other.status?.acceptedNames ?? {};
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name);
    for (const name of [kind, listKind]) if (name) kinds.add(name);
  }
  const requested = spec.names;
  const accepted: Names = status?.acceptedNames ?? { plural: '', kind: '' };
  let problem: Pick<Finding, 'reason' | 'message'> | undefined;
  const accept = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>, reason: string) => {
    const name = requested[field] ?? '';
    if (name === (accepted[field] ?? '') || !used.has(name)) return name;
    problem = { reason, message: inUse(name) };
    return accepted[field] ?? '';
  };
  const plural = accept('plural', resources, 'PluralConflict');
  const singular = accept('singular', resources, 'SingularConflict');
  const taken = (requested.shortNames ?? []).filter((name) => !accepted.shortNames?.includes(name) && resources.has(name));
  if (taken.length > 0) problem = { reason: 'ShortNamesConflict', message: aggregate(taken.map(inUse)) };
  const kind = accept('kind', kinds, 'KindConflict');
  const listKind = accept('listKind', kinds, 'ListKindConflict');
  const shortNames = taken.length > 0 ? accepted.shortNames : requested.shortNames;
  const names: CustomResourceDefinitionNames = {
    plural,
    ...(singular ? { singular } : {}),
    ...(shortNames && shortNames.length > 0 ? { shortNames: [...shortNames] } : {}),
    kind,
    ...(listKind ? { listKind } : {}),
    ...(requested.categories && requested.categories.length > 0 ? { categories: [...requested.categories] } : {}),
  };
  const type = 'NamesAccepted';
  if (problem) return { names, condition: { type, status: 'False', ...problem } };
  return { names, condition: { type, status: 'True', reason: 'NoConflicts', message: 'no conflicts found' } };
}

const inUse = (name: string): string => `${quote(name)} is already in use`;

/** Joins several messages into one and drops repeated ones. */
function aggregate(messages: readonly string[]): string {
  const [first = '', ...rest] = new Set(messages);
  return rest.length === 0 ? first : `[${[first, ...rest].join(', ')}]`;
}

const structureType = 'NonStructuralSchema';

/** Only definitions that were stored by the former version of their API can keep unknown fields throughout. */
function findStructuralProblem({ spec }: CRD): Finding | undefined {
  if (!spec.preserveUnknownFields) return undefined;
  const message = 'spec.preserveUnknownFields: Invalid value: true: must be false';
  return { type: structureType, status: 'True', reason: 'Violations', message };
}

const approvalAnnotation = 'api-approved.kubernetes.io';
const protectedSuffixes = ['k8s.io', 'kubernetes.io'];
const approvalPolicy = 'see https://github.com/kubernetes/enhancements/pull/1111';

/** Whether the API of a group of the Kubernetes community has been approved; undefined for other groups. */
function findApproval({ spec: { group }, metadata }: CRD): Finding | undefined {
  if (!protectedSuffixes.some((suffix) => group === suffix || group.endsWith(`.${suffix}`))) return undefined;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const annotation = metadata.annotations?.[approvalAnnotation] ?? '';
  const required = `protected groups must have approval annotation ${quote(approvalAnnotation)}`;
  if (annotation === '') return { type, status: 'False', reason: 'MissingAnnotation', message: `${required}, ${approvalPolicy}` };
  if (annotation.startsWith('unapproved'))
    return { type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${quote(annotation)}` };
  if (isURL(annotation)) return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${annotation}` };
  const message = `${required} with either a URL or a reason starting with "unapproved", ${approvalPolicy}`;
  return { type, status: 'False', reason: 'InvalidAnnotation', message };
}

function isURL(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(text) && URL.canParse(text);
}

/** Whether objects of the definition are served. */
export function isEstablished({ status }: CRD): boolean {
  return isConditionTrue(status?.conditions ?? [], 'Established');
}

/** Holds a definition until all its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';
