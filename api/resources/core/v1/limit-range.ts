import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { compareQuantities, quantityMilliValue, quantityOf } from '../../../base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../base/quantity/quantity.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateEach } from '../../../resource/field-rules.ts';
import type { LimitRange, LimitRangeItem } from '../../../types/core-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';
import { validateContainerResourceName } from './pod-spec/container-resources.ts';
import { validateResourceName } from './resource-name.ts';

const standardTypes = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);
const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

/** The limits on the resources of a single object in a namespace, and the defaults for objects that request none. */
export const limitRanges = defineResource<LimitRange>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'LimitRange', plural: 'limitranges', shortNames: ['limits'] },
  definition: 'io.k8s.api.core.v1.LimitRange',
  storagePrefix: 'limitranges',
  allowCreateOnUpdate: true,
  validate({ spec }, path) {
    const types = new Set<string>();
    return validateEach(spec?.limits, path.child('spec', 'limits'), (item, at) => {
      const errors = validateType(item.type, at.child('type'));
      if (types.has(item.type)) errors.push(duplicate(at.child('type'), item.type));
      types.add(item.type);
      return [...errors, ...validateItem(item, at)];
    });
  },
});

function validateType(type: string, path: FieldPath): FieldError[] {
  const problems = qualifiedNameProblems(type);
  if (problems.length > 0) return invalidFor(path, type, problems);
  return type.includes('/') || standardTypes.has(type) ? [] : [invalid(path, type, 'must be a standard limit type or fully qualified')];
}

function validateItem(item: DeepReadonly<LimitRangeItem>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of lists) {
    const names = Object.keys(item[list] ?? {});
    if (item.type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (names.length > 0) errors.push(forbidden(path.child(list), "may not be specified when `type` is 'Pod'"));
      continue;
    }
    const validateName = item.type === 'Pod' || item.type === 'Container' ? validateContainerResourceName : validateResourceName;
    for (const name of names) errors.push(...validateName(name, path.child(list).key(name)));
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined) {
    errors.push(required(path.child('limits'), 'either minimum or maximum storage value is required, but neither was provided'));
  }
  const names = new Set(lists.flatMap((list) => Object.keys(item[list] ?? {})));
  for (const name of names) errors.push(...validateAmounts(item, name, path));
  return errors;
}

/** Validates min <= defaultRequest <= default <= max of one resource. */
function validateAmounts(item: DeepReadonly<LimitRangeItem>, name: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const amount = (list: (typeof lists)[number]) => (item.type === 'Pod' && list.startsWith('default') ? undefined : item[list]?.[name]);
  const [min, max, limit, request] = [amount('min'), amount('max'), amount('default'), amount('defaultRequest')];
  const exceeds = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && compareQuantities(parseQuantity(a), parseQuantity(b)) > 0;
  const at = (list: string) => path.child(list).key(name);
  if (exceeds(min, max)) errors.push(invalid(at('min'), min, `min value ${min} is greater than max value ${max}`));
  if (exceeds(min, request))
    errors.push(invalid(at('defaultRequest'), request, `min value ${min} is greater than default request value ${request}`));
  if (exceeds(request, max))
    errors.push(invalid(at('defaultRequest'), request, `default request value ${request} is greater than max value ${max}`));
  if (exceeds(request, limit)) {
    errors.push(invalid(at('defaultRequest'), request, `default request value ${request} is greater than default limit value ${limit}`));
  }
  if (exceeds(min, limit)) errors.push(invalid(at('default'), min, `min value ${min} is greater than default value ${limit}`));
  if (exceeds(limit, max)) errors.push(invalid(at('default'), max, `default value ${limit} is greater than max value ${max}`));
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return errors;
  if (compareQuantities(parseQuantity(ratio), quantityOf(1)) < 0)
    errors.push(invalid(at('maxLimitRequestRatio'), ratio, `ratio ${ratio} is less than 1`));
  if (min !== undefined && max !== undefined) {
    const possible = quantityMilliValue(max) / quantityMilliValue(min);
    if (quantityMilliValue(ratio) / 1000 > possible) {
      errors.push(invalid(at('maxLimitRequestRatio'), ratio, `ratio ${ratio} is greater than max/min = ${possible.toFixed(6)}`));
    }
  }
  return errors;
}
