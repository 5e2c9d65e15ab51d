import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { compileRegex } from '../../cel/run/regex.ts';
import { Failure } from '../../cel/types/values.ts';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';
import { type FieldError, forbidden, formatFieldError, hasEnoughErrors, invalid, required } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';

export type Props = DeepReadonly<JSONSchemaProps>;

type Level = 'root' | 'item' | 'field';

export function isSchema(value: unknown): value is Props {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The errors that make a schema non-structural, in the order of their messages. */
export function validateStructural(props: Props, path: FieldPath): FieldError[] {
  const errors = [...validateInvariants(props, 'root', path), ...validateRuleCompleteness(props, props, path, path)];
  return errors
    .map((error) => ({ error, text: formatFieldError(error) }))
    .toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ error }) => error);
}

const emptyTypeTexts: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function validateInvariants(props: Props, level: Level, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '', items, properties = {}, additionalProperties: values } = props;
  const isEmbedded = props['x-kubernetes-embedded-resource'] === true;
  const preserves = props['x-kubernetes-preserve-unknown-fields'] === true;
  const isIntOrString = props['x-kubernetes-int-or-string'] === true;
  if (type === 'array' && !isSchema(items)) errors.push(required(path.child('items'), 'must be specified'));
  if (isSchema(items)) errors.push(...validateInvariants(items, 'item', path.child('items')));
  for (const [name, property] of Object.entries(properties)) {
    if (hasEnoughErrors(errors)) break;
    errors.push(...validateInvariants(property, 'field', path.child('properties').key(name)));
  }
  if (values !== undefined && level === 'root') errors.push(forbidden(path.child('additionalProperties'), 'must not be used at the root'));
  if (isSchema(values)) errors.push(...validateInvariants(values, 'field', path.child('additionalProperties')));
  if (isIntOrString && preserves)
    errors.push(invalid(path.child('x-kubernetes-preserve-unknown-fields'), true, 'must be false if x-kubernetes-int-or-string is true'));
  if (isIntOrString && isEmbedded)
    errors.push(invalid(path.child('x-kubernetes-embedded-resource'), true, 'must be false if x-kubernetes-int-or-string is true'));
  errors.push(...validateValueRules(props, isPattern(props.anyOf), isPattern(props.allOf?.[0]?.anyOf), path));
  const at = path.child('type');
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(at, detail) : invalid(at, type, detail));
  } else if (type === '' && !isIntOrString && !preserves) errors.push(required(at, emptyTypeTexts[level]));
  if (isEmbedded && values !== undefined)
    errors.push(forbidden(path.child('additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set'));
  if (level === 'root' && type !== '' && type !== 'object') errors.push(invalid(at, type, 'must be object at the root'));
  errors.push(...validateObjectFields(props, level, path));
  if (isEmbedded && !preserves && Object.keys(properties).length === 0) {
    const detail = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(path.child('properties'), detail));
  }
  return errors;
}

/** Rules for apiVersion, kind and metadata, of which a schema may say little. */
function validateObjectFields(props: Props, level: Level, path: FieldPath): FieldError[] {
  const isObject = level === 'root' || props['x-kubernetes-embedded-resource'] === true;
  const { properties = {} } = props;
  const at = path.child('properties');
  const errors: FieldError[] = [];
  for (const name of ['kind', 'apiVersion']) {
    const property = properties[name];
    if (isObject && property !== undefined && property.type !== 'string')
      errors.push(invalid(at.key(name).child('type'), property.type ?? '', 'must be string'));
  }
  const { metadata } = properties;
  if (metadata === undefined) return errors;
  if (isObject && metadata.type !== 'object') errors.push(invalid(at.key('metadata').child('type'), metadata.type ?? '', 'must be object'));
  if (level !== 'root') return errors;
  const { type: _type, default: _default, properties: own = {}, ...rest } = metadata;
  const names = Object.keys(own);
  if (Object.keys(rest).length > 0 || names.some((name) => name !== 'name' && name !== 'generateName'))
    errors.push(
      forbidden(at.key('metadata'), 'must not specify anything other than name and generateName, but metadata is implicitly specified'),
    );
  return errors;
}

function isPattern(schemas: readonly Props[] | undefined): boolean {
  return JSON.stringify(schemas) === '[{"type":"integer"},{"type":"string"}]';
}

function validateValueRules(props: Props, skipsAnyOf: boolean, skipsFirstAllOf: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, nested] of (skipsAnyOf ? [] : (props.anyOf ?? [])).entries())
    errors.push(...validateNested(nested, false, path.child('anyOf').index(index)));
  for (const [index, nested] of (props.allOf ?? []).entries())
    errors.push(...validateNested(nested, skipsFirstAllOf && index === 0, path.child('allOf').index(index)));
  for (const [index, nested] of (props.oneOf ?? []).entries())
    errors.push(...validateNested(nested, false, path.child('oneOf').index(index)));
  if (props.not !== undefined) errors.push(...validateNested(props.not, false, path.child('not')));
  const problem = props.pattern ? patternProblem(props.pattern) : undefined;
  if (problem !== undefined)
    errors.push(invalid(path.child('pattern'), props.pattern, `must be a valid regular expression, but isn't: ${problem}`));
  return errors;
}

function patternProblem(pattern: string): string | undefined {
  try {
    compileRegex(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

const mustBeEmpty = 'must be empty to be structural';
const mustBeFalse = 'must be false to be structural';
const mustBeUndefined = 'must be undefined to be structural';

/** Validates rules within allOf, anyOf, oneOf and not, which must not specify structure. */
function validateNested(props: Props, skipsAnyOf: boolean, path: FieldPath): FieldError[] {
  const errors = validateValueRules(props, skipsAnyOf, false, path);
  const { items, properties = {} } = props;
  if (isSchema(items)) errors.push(...validateNested(items, false, path.child('items')));
  for (const [name, property] of Object.entries(properties)) {
    if (hasEnoughErrors(errors)) break;
    errors.push(...validateNested(property, false, path.child('properties').key(name)));
  }
  const forbid = (isSet: boolean, field: string, detail: string) => {
    if (isSet) errors.push(forbidden(path.child(field), detail));
  };
  forbid(Boolean(props.type), 'type', mustBeEmpty);
  forbid(props.additionalProperties !== undefined && props.additionalProperties !== false, 'additionalProperties', mustBeUndefined);
  forbid(props.default !== undefined && props.default !== null, 'default', mustBeUndefined);
  forbid(Boolean(props.title), 'title', mustBeEmpty);
  forbid(Boolean(props.description), 'description', mustBeEmpty);
  forbid(props.nullable === true, 'nullable', mustBeFalse);
  for (const field of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'] as const)
    forbid(props[field] === true, field, mustBeFalse);
  forbid((props['x-kubernetes-list-map-keys'] ?? []).length > 0, 'x-kubernetes-list-map-keys', mustBeEmpty);
  for (const field of ['x-kubernetes-list-type', 'x-kubernetes-map-type'] as const)
    forbid(props[field] !== undefined, field, mustBeUndefined);
  forbid((props['x-kubernetes-validations'] ?? []).length > 0, 'x-kubernetes-validations', mustBeEmpty);
  if (Object.hasOwn(properties, 'metadata'))
    errors.push(forbidden(path.child('properties').key('metadata'), 'must not be specified in a nested context'));
  return errors;
}

/** Validates that every field with rules inside allOf, anyOf, oneOf or not is also specified outside of them. */
function validateRuleCompleteness(rules: Props, schema: Props | undefined, at: FieldPath, path: FieldPath): FieldError[] {
  const lists = [
    ...(rules.not === undefined ? [] : [[rules.not, path.child('not')] as const]),
    ...(rules.allOf ?? []).map((nested, index) => [nested, path.child('allOf').index(index)] as const),
    ...(rules.anyOf ?? []).map((nested, index) => [nested, path.child('anyOf').index(index)] as const),
    ...(rules.oneOf ?? []).map((nested, index) => [nested, path.child('oneOf').index(index)] as const),
  ];
  return lists.flatMap(([nested, where]) => validateCompleteness(nested, schema, at, where));
}

function validateCompleteness(nested: Props, schema: Props | undefined, at: FieldPath, path: FieldPath): FieldError[] {
  if (schema === undefined) return [required(at, `because it is defined in ${path}`)];
  const errors = validateRuleCompleteness(nested, schema, at, path);
  const { items, properties = {} } = nested;
  if (isSchema(items))
    errors.push(...validateCompleteness(items, isSchema(schema.items) ? schema.items : undefined, at.child('items'), path.child('items')));
  for (const [name, property] of Object.entries(properties)) {
    if (hasEnoughErrors(errors)) break;
    const own = schema.properties !== undefined && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const [ownAt, ownPath] = [at.child('properties').key(name), path.child('properties').key(name)];
    errors.push(...validateCompleteness(property, own, ownAt, ownPath));
  }
  return errors;
}
