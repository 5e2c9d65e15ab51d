import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { validateChoice, validateEach, validatePositive } from '../../../../resource/field-rules.ts';
import type { PodSchedulingGate, Toleration, TopologySpreadConstraint } from '../../../../types/core-v1.ts';
import type { LabelSelector } from '../../../../types/meta-v1.ts';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  hasEnoughErrors,
} from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateLabelName, validateLabelSelector } from '../../../../validation/labels.ts';
import { labelValueProblems } from '../../../../validation/names.ts';
import { validateQualifiedName } from './names.ts';

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTolerations(tolerations: readonly DeepReadonly<Toleration>[] | undefined, path: FieldPath): FieldError[] {
  return validateEach(tolerations, path, ({ key, operator, value = '', effect, tolerationSeconds }, at) => {
    const errors: FieldError[] = key ? validateLabelName(key, at.child('key')) : [];
    if (!key && operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(at.child('operator'), operator ?? '', detail));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(invalid(at.child('effect'), effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    if (!operator || operator === 'Equal') {
      const problems = labelValueProblems(value);
      if (problems.length > 0) errors.push(invalid(at.child('operator'), value, problems.join(';')));
    } else if (operator !== 'Exists') errors.push(notSupported(at.child('operator'), operator, ['Equal', 'Exists']));
    else if (value !== '') errors.push(invalid(at.child('operator'), value, "value must be empty when `operator` is 'Exists'"));
    return [...errors, ...validateChoice(at.child('effect'), effect, taintEffects, 'allowed')];
  });
}

export function validateSchedulingGates(gates: readonly DeepReadonly<PodSchedulingGate>[] | undefined, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return validateEach(gates, path, ({ name }, at) => {
    const errors = validateQualifiedName(at, name);
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    return errors;
  });
}

/** Labels of the Pod itself that are added to a selector; needs a selector to add them to. */
export function validateLabelKeys(
  keys: {
    readonly matchLabelKeys?: readonly string[];
    readonly mismatchLabelKeys?: readonly string[];
    readonly labelSelector?: DeepReadonly<LabelSelector>;
  },
  path: FieldPath,
): FieldError[] {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = keys;
  const errors: FieldError[] = [];
  for (const [field, names] of [
    ['matchLabelKeys', matchLabelKeys],
    ['mismatchLabelKeys', mismatchLabelKeys],
  ] as const) {
    if (names.length === 0) continue;
    if (labelSelector === undefined) errors.push(forbidden(path.child(field), 'must not be specified when labelSelector is not set'));
    else errors.push(...validateEach(names, path.child(field), validateLabelName));
  }
  // Each key of matchLabelKeys is merged into the selector once. If it is there twice, the selector had it before.
  const places = new Map(matchLabelKeys.map((key, index) => [key, index]));
  const inSelector = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = places.get(key);
    if (index !== undefined && inSelector.has(key))
      errors.push(invalid(path.index(index), key, 'exists in both matchLabelKeys and labelSelector'));
    inSelector.add(key);
  }
  const mismatched = new Set(mismatchLabelKeys);
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatched.has(key) || hasEnoughErrors(errors)) continue;
    errors.push(invalid(path.child('matchLabelKeys').index(index), key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
  }
  return errors;
}

export function validateTopologySpread(
  constraints: readonly DeepReadonly<TopologySpreadConstraint>[] | undefined,
  path: FieldPath,
): FieldError[] {
  const keyOf = ({ topologyKey, whenUnsatisfiable }: DeepReadonly<TopologySpreadConstraint>) =>
    JSON.stringify([topologyKey, whenUnsatisfiable]);
  const last = new Map((constraints ?? []).map((constraint, index) => [keyOf(constraint), index]));
  return validateEach(constraints, path, (constraint, at, index) => {
    const { topologyKey, whenUnsatisfiable, minDomains } = constraint;
    const errors = validatePositive(at.child('maxSkew'), constraint.maxSkew ?? 0);
    if (!topologyKey) errors.push(required(at.child('topologyKey'), 'can not be empty'));
    errors.push(...validateChoice(at.child('whenUnsatisfiable'), whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], 'unsupported'));
    if (last.get(keyOf(constraint)) !== index)
      errors.push(duplicate(at.child('{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${whenUnsatisfiable}}`));
    if (minDomains !== undefined) {
      errors.push(...validatePositive(at.child('minDomains'), minDomains));
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(invalid(at.child('minDomains'), minDomains, detail));
      }
    }
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[field];
      if (policy !== undefined) errors.push(...validateChoice(at.child(field), policy, ['Honor', 'Ignore'], 'unsupported'));
    }
    errors.push(...validateLabelKeys(constraint, at), ...validateLabelSelector(constraint.labelSelector, at.child('labelSelector')));
    return errors;
  });
}
