import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor, validateEach } from '../../../../resource/field-rules.ts';
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateLabelName, validateLabelSelector } from '../../../../validation/labels.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, labelValueProblems } from '../../../../validation/names.ts';
import { validateLabelKeys } from './scheduling.ts';

const requiredField = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredField = 'preferredDuringSchedulingIgnoredDuringExecution';

export function validateAffinity(affinity: DeepReadonly<Affinity> | undefined, path: FieldPath): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const errors: FieldError[] = [];
  const nodePath = path.child('nodeAffinity');
  if (nodeAffinity?.[requiredField]) errors.push(...validateNodeSelector(nodeAffinity[requiredField], nodePath.child(requiredField)));
  errors.push(
    ...validateEach(nodeAffinity?.[preferredField], nodePath.child(preferredField), ({ weight, preference }, at) => [
      ...validateWeight(weight, at.child('weight')),
      ...validateTerm(preference, true, at.child('preference')),
    ]),
    ...validatePodAffinity(podAffinity, path.child('podAffinity')),
    ...validatePodAffinity(podAntiAffinity, path.child('podAntiAffinity')),
  );
  return errors;
}

function validateWeight(weight: number, path: FieldPath): FieldError[] {
  return weight > 0 && weight <= 100 ? [] : [invalid(path, weight ?? 0, 'must be in the range 1-100')];
}

/** Validates the selection of nodes of a Pod, a PersistentVolume or an allocation. Invalid values of labels only select nothing. */
export function validateNodeSelector(selector: DeepReadonly<NodeSelector>, path: FieldPath, allowInvalidValues = false): FieldError[] {
  const at = path.child('nodeSelectorTerms');
  if ((selector.nodeSelectorTerms ?? []).length === 0) return [required(at, 'must have at least one node selector term')];
  return validateEach(selector.nodeSelectorTerms, at, (term, termPath) => validateTerm(term, allowInvalidValues, termPath));
}

function validateTerm(term: DeepReadonly<NodeSelectorTerm>, allowInvalidValues: boolean, path: FieldPath): FieldError[] {
  return [
    ...validateEach(term?.matchExpressions, path.child('matchExpressions'), (requirement, at) =>
      validateExpression(requirement, allowInvalidValues, at),
    ),
    ...validateEach(term?.matchFields, path.child('matchFields'), validateField),
  ];
}

function validateExpression(
  { key, operator, values = [] }: DeepReadonly<NodeSelectorRequirement>,
  allowInvalidValues: boolean,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child('values');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(invalid(path.child('operator'), operator ?? '', 'not a valid selector operator'));
  errors.push(...validateLabelName(key, path.child('key')));
  if (allowInvalidValues) return errors;
  return [...errors, ...validateEach(values, at, (value, valuePath) => invalidFor(valuePath, value, labelValueProblems(value)))];
}

function validateField({ key, operator, values = [] }: DeepReadonly<NodeSelectorRequirement>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn')
    errors.push(invalid(path.child('operator'), operator ?? '', 'not a valid selector operator'));
  else if (values.length !== 1) {
    errors.push(required(path.child('values'), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  }
  if (key !== 'metadata.name') return [...errors, invalid(path.child('key'), key, 'not a valid field selector key')];
  return [...errors, ...validateEach(values, path.child('values'), (value, at) => invalidFor(at, value, dns1123SubdomainProblems(value)))];
}

function validatePodAffinity(affinity: DeepReadonly<PodAffinity> | undefined, path: FieldPath): FieldError[] {
  return [
    ...validateEach(affinity?.[requiredField], path.child(requiredField), validatePodTerm),
    ...validateEach(affinity?.[preferredField], path.child(preferredField), ({ weight, podAffinityTerm }, at) => [
      ...validateWeight(weight, at.child('weight')),
      ...validatePodTerm(podAffinityTerm, at.child('podAffinityTerm')),
    ]),
  ];
}

function validatePodTerm(term: DeepReadonly<PodAffinityTerm>, path: FieldPath): FieldError[] {
  const errors = [
    ...validateLabelSelector(term.labelSelector, path.child('labelSelector')),
    ...validateLabelSelector(term.namespaceSelector, path.child('namespaceSelector')),
    ...(term.namespaces ?? []).flatMap((name) => invalidFor(path.child('namespace'), name, dns1123LabelProblems(name))),
    ...validateLabelKeys(term, path),
  ];
  if (!term.topologyKey) errors.push(required(path.child('topologyKey'), 'can not be empty'));
  return [...errors, ...validateLabelName(term.topologyKey ?? '', path.child('topologyKey'))];
}
