import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { quote } from '../../base/quote.ts';
import type { KubeObject } from '../../meta/object.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import type { CustomResourceDefinitionVersion } from '../../types/apiextensions-v1.ts';
import { type FieldError, type FieldErrorType, formatFieldError } from '../../validation/field-error.ts';
import { FieldPath } from '../../validation/field-path.ts';
import { qualifiedNameProblems } from '../../validation/names.ts';
import { Correlation } from './correlation.ts';
import { validateEmbeddedResources } from './embedded-resources.ts';
import { validateListTypes } from './list-types.ts';
import { validateScaleSpec, validateScaleStatus } from './scale-paths.ts';
import { validateValue } from './validate-value.ts';
import { planValue, type ValuePlan } from './value-plan.ts';

type Version = DeepReadonly<CustomResourceDefinitionVersion>;
type CustomObject = DeepReadonly<KubeObject> & { readonly [field: string]: unknown };

/** Validates the objects of a version. Metadata is validated by the rules that all kinds share. */
export interface ObjectValidator {
  validate(object: CustomObject): FieldError[];
  validateUpdate(object: CustomObject, old: CustomObject): FieldError[];
  validateStatusUpdate(object: CustomObject, old: CustomObject): FieldError[];
  /** The warnings about an object that has just been validated. */
  warnings(object: CustomObject, old: CustomObject | undefined): string[];
}

/** Validates the rules of `x-kubernetes-validations`. */
export type ValidateRules = (object: CustomObject, old: CustomObject | undefined, correlation: Correlation | undefined) => RuleViolations;

interface RuleViolations {
  readonly errors: readonly FieldError[];
  readonly tolerated: readonly FieldError[];
}

/**
 * The validator of a version's objects. Its plan is made for the first object. Without `validateRules` no x-kubernetes-validations are
 * evaluated.
 */
export function createObjectValidator(
  version: Version,
  schema: StructuralSchema,
  validateRules: ValidateRules | undefined,
): ObjectValidator {
  const props = version.schema?.openAPIV3Schema;
  const scale = version.subresources?.scale;
  let made: ValuePlan | undefined;
  const tolerated = new WeakMap<object, readonly FieldError[]>();
  const plan = () => (props === undefined ? undefined : (made ??= planValue(props)));
  const validateShape = (object: CustomObject, correlation?: Correlation): FieldError[] => {
    const own = plan();
    const errors = own === undefined ? [] : validateValue(own, object, correlation).map((error) => error.toFieldError(''));
    errors.push(...validateScaleSpec(object, scale), ...validateScaleStatus(object, scale));
    errors.push(...validateEmbeddedResources(object, schema, FieldPath.root));
    return errors;
  };
  const withRules = (errors: FieldError[], object: CustomObject, old?: CustomObject, correlation?: Correlation): FieldError[] => {
    if (validateRules === undefined) return errors;
    if (errors.some(({ type }) => blocking.has(type))) return [...errors, rulesNotChecked];
    const violations = validateRules(object, old, correlation);
    if (violations.tolerated.length > 0) tolerated.set(object, violations.tolerated);
    return [...errors, ...violations.errors];
  };
  const listErrors = (object: CustomObject) => validateListTypes(object, schema, FieldPath.root);
  return {
    validate: (object) => withRules([...validateShape(object), ...listErrors(object)], object),
    validateUpdate(object, old) {
      const correlation = new Correlation(object, old, schema);
      const errors = validateShape(object, correlation);
      const lists = listErrors(object);
      if (lists.length > 0 && listErrors(old).length === 0) errors.push(...lists);
      return withRules(errors, object, old, correlation);
    },
    validateStatusUpdate(object, old) {
      const { status } = object;
      const statusPlan = plan()?.properties.get('status');
      const errors: FieldError[] = [];
      if (statusPlan !== undefined && status !== undefined)
        errors.push(...validateValue(statusPlan, status).map((error) => error.toFieldError('status')));
      errors.push(...validateScaleStatus(object, scale));
      const lists = listErrors(object);
      if (lists.length > 0 && listErrors(old).length === 0) errors.push(...lists);
      return withRules(errors, object, old);
    },
    warnings: (object, old) => [...(tolerated.get(object) ?? []).map(formatFieldError), ...finalizerWarnings(object, old)],
  };
}

/** After these errors an object may be so large or so odd that its rules are not evaluated. */
const blocking: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const rulesNotChecked: FieldError = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  value: 'null',
  detail: 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

/** Finalizers that need no domain. */
const standardFinalizers: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/** The warnings about new finalizers that could be those of others, too. */
export function finalizerWarnings(object: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject> | undefined): string[] {
  const had = new Set(old?.metadata.finalizers);
  const added = [...new Set(object.metadata.finalizers)].filter((finalizer) => !had.has(finalizer)).sort();
  return added.flatMap((finalizer) => {
    const about = `metadata.finalizers: ${quote(finalizer)}: `;
    const warnings = qualifiedNameProblems(finalizer).map((problem) => about + problem);
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return warnings;
    const path = finalizer.includes('.') ? ' including a path (/)' : '';
    return [
      ...warnings,
      `${about}prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`,
    ];
  });
}
