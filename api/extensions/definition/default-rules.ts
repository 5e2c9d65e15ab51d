import { isEqual } from '../../base/equality.ts';
import { cloneJSON } from '../../base/json-object.ts';
import { decode } from '../../schema/decode.ts';
import { DecodeError } from '../../schema/decode-error.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import { type FieldError, hasEnoughErrors, invalid } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { ruleTreeOf } from '../rules/rule-tree.ts';
import { validateRules } from '../rules/validate-rules.ts';
import { structuralSchemaOf } from '../structural-schema-of.ts';
import { validateEmbeddedResources } from '../validation/embedded-resources.ts';
import { validateValue } from '../validation/validate-value.ts';
import { planValue } from '../validation/value-plan.ts';
import { isSchema, type Props } from './structural-rules.ts';

/** Validates that defaults have no unknown fields and obey the schemas that they are of. The schema is structural. */
export function validateDefaults(props: Props, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  // Whole objects have an apiVersion and a kind.
  visit({ ...props, 'x-kubernetes-embedded-resource': true }, path, errors);
  return errors;
}

function visit(props: Props, path: FieldPath, errors: FieldError[]): void {
  if (hasEnoughErrors(errors)) return;
  if (props.default !== undefined && props.default !== null) errors.push(...validateDefault(props, props.default, path.child('default')));
  if (isSchema(props.items)) visit(props.items, path.child('items'), errors);
  for (const [name, property] of Object.entries(props.properties ?? {})) visit(property, path.child('properties').key(name), errors);
}

function validateDefault(props: Props, value: unknown, at: FieldPath): FieldError[] {
  const { default: _, ...rest } = props;
  const schema = structuralSchemaOf(rest);
  const holder: StructuralSchema = { type: 'object', isUnstructured: true, properties: new Map([['default', propertyOf(schema)]]) };
  let pruned: unknown;
  try {
    pruned = decode({ default: cloneJSON(value) }, holder).object['default'];
  } catch (error) {
    if (error instanceof DecodeError) return [invalid(at, value, error.message)];
    throw error;
  }
  const errors = isEqual(withoutNulls(pruned), withoutNulls(value)) ? [] : [invalid(at, value, 'must not have unknown fields')];
  const embedded = validateEmbeddedResources(value, schema, at);
  if (embedded.length > 0) return [...errors, ...embedded];
  const found = validateValue(planValue(rest, { checksIntOrString: false }), value).map((error) => error.toFieldError(at.toString()));
  if (found.length > 0) return [...errors, ...found];
  const rules = ruleTreeOf(rest, props['x-kubernetes-embedded-resource'] === true);
  if (rules === undefined) return errors;
  const violations = validateRules(rules, value, value, undefined, at).errors;
  return [...errors, ...violations, ...(violations.length > 0 ? [] : validateRules(rules, value, undefined, undefined, at).errors)];
}

function propertyOf(schema: StructuralSchema) {
  return { schema: { ...schema, isUnstructured: false, nullable: true }, required: false, omitEmpty: true, pointer: true };
}

/** Decoding also drops nulls, which are no unknown fields. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}
