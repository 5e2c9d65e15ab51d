import { type FieldError, forbidden, invalid, notSupported, required } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { maxElements, multiplyCost, type RuleCosts } from './rule-costs.ts';
import { validateRuleExpressions, validateRuleTexts } from './rule-rules.ts';
import { isSchema, type Props } from './structural-rules.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const objectFields: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion']);

/** The place of a schema in that of a version. */
interface Scope {
  readonly isRoot: boolean;
  readonly isInsideMeta: boolean;
  /** The reason why defaults are forbidden. */
  readonly defaultsForbidden: string | undefined;
  readonly uncorrelatable: FieldPath | undefined;
  readonly cardinality: number | undefined;
  /** Absent: rules are not compiled. */
  readonly costs: RuleCosts | undefined;
}

/** Errors of the schema and of its rules, kept apart: rules are compiled where the schema is right. */
interface Found {
  readonly schema: FieldError[];
  readonly rules: FieldError[];
}

/** Validates a version's schema, which has been found structural where `costs` are given. */
export function validateSchema(props: Props, path: FieldPath, costs: RuleCosts | undefined): FieldError[] {
  const scope = { isRoot: true, isInsideMeta: false, defaultsForbidden: undefined, uncorrelatable: undefined, cardinality: 1, costs };
  const { schema, rules } = visit(props, path, scope);
  return [...schema, ...rules];
}

function visit(props: Props, path: FieldPath, scope: Scope): Found {
  const found: Found = { schema: validateFields(props, path, scope), rules: [] };
  const add = (inner: Found) => {
    found.schema.push(...inner.schema);
    found.rules.push(...inner.rules);
  };
  const limit = maxElements(props);
  const cardinality = scope.cardinality === undefined || limit === undefined ? undefined : multiplyCost(scope.cardinality, limit);
  const inner: Scope = { ...scope, isRoot: false, cardinality };
  const { additionalProperties: values, properties = {}, items } = props;
  if (values !== undefined) {
    if (Object.keys(properties).length > 0 && values !== true)
      found.schema.push(forbidden(path.child('additionalProperties'), 'additionalProperties and properties are mutual exclusive'));
    const reason = scope.isInsideMeta ? 'inside additionalProperties applying to object metadata' : scope.defaultsForbidden;
    if (isSchema(values)) add(visit(values, path.child('additionalProperties'), { ...inner, defaultsForbidden: reason }));
  }
  for (const [name, property] of Object.entries(properties)) {
    const isMeta = (scope.isRoot || props['x-kubernetes-embedded-resource'] === true) && objectFields.has(name);
    const own: Scope = {
      ...inner,
      isInsideMeta: inner.isInsideMeta || isMeta,
      defaultsForbidden: isMeta && scope.isRoot ? `in top-level ${name}` : inner.defaultsForbidden,
    };
    add(visit(property, path.child('properties').key(name), own));
  }
  const nested: Scope = { ...inner, costs: undefined };
  if (props.not !== undefined) add(visit(props.not, path.child('not'), nested));
  for (const field of ['allOf', 'oneOf', 'anyOf'] as const)
    for (const [index, one] of (props[field] ?? []).entries()) add(visit(one, path.child(field).index(index), nested));
  if (isSchema(items)) {
    const isMap = props['x-kubernetes-list-type'] === 'map';
    add(visit(items, path.child('items'), isMap ? inner : { ...inner, uncorrelatable: inner.uncorrelatable ?? path }));
  }
  found.schema.push(...validateExtensions(props, path), ...validateRuleTexts(props, path));
  const hasRules = (props['x-kubernetes-validations'] ?? []).length > 0;
  if (hasRules && found.schema.length === 0 && scope.costs !== undefined) {
    const { costs, uncorrelatable } = scope;
    const isResourceRoot = scope.isRoot || props['x-kubernetes-embedded-resource'] === true;
    found.rules.push(...validateRuleExpressions(props, path, { isResourceRoot, cardinality: scope.cardinality, costs, uncorrelatable }));
  }
  return found;
}

function validateFields(props: Props, path: FieldPath, scope: Scope): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '', items } = props;
  if (type !== '' && !types.includes(type)) errors.push(notSupported(path.child('type'), type, types));
  if (props.default !== undefined && props.default !== null && scope.defaultsForbidden !== undefined)
    errors.push(forbidden(path.child('default'), `must not be set ${scope.defaultsForbidden}`));
  if (props.id) errors.push(forbidden(path.child('id'), 'id is not supported'));
  if (props.additionalItems !== undefined) errors.push(forbidden(path.child('additionalItems'), 'additionalItems is not supported'));
  if (Object.keys(props.patternProperties ?? {}).length > 0)
    errors.push(forbidden(path.child('patternProperties'), 'patternProperties is not supported'));
  if (Object.keys(props.definitions ?? {}).length > 0) errors.push(forbidden(path.child('definitions'), 'definitions is not supported'));
  if (props.dependencies !== undefined) errors.push(forbidden(path.child('dependencies'), 'dependencies is not supported'));
  if (props.$ref !== undefined) errors.push(forbidden(path.child('$ref'), '$ref is not supported'));
  if (type === 'null') errors.push(forbidden(path.child('type'), 'type cannot be set to null, use nullable as an alternative'));
  if (Array.isArray(items)) errors.push(forbidden(path.child('items'), 'items must be a schema object and not an array'));
  if (scope.isInsideMeta && props['x-kubernetes-embedded-resource'])
    errors.push(forbidden(path.child('x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'));
  if (props.uniqueItems)
    errors.push(forbidden(path.child('uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  return errors;
}

function validateExtensions(props: Props, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '' } = props;
  const listType = props['x-kubernetes-list-type'];
  const mapType = props['x-kubernetes-map-type'];
  const keys = props['x-kubernetes-list-map-keys'] ?? [];
  const mustBe = (wanted: string, detail: string) => {
    if (type !== wanted) errors.push(type === '' ? required(path.child('type'), detail) : invalid(path.child('type'), type, detail));
  };
  if (props['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(path.child('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'));
  if (mapType !== undefined) {
    mustBe('object', 'must be object if x-kubernetes-map-type is specified');
    if (mapType !== 'atomic' && mapType !== 'granular')
      errors.push(notSupported(path.child('x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
  }
  if (listType !== undefined) {
    mustBe('array', 'must be array if x-kubernetes-list-type is specified');
    if (type === 'array' && listType === 'set') errors.push(...validateSetItems(props, path));
    if (!['atomic', 'set', 'map'].includes(listType))
      errors.push(notSupported(path.child('x-kubernetes-list-type'), listType, ['atomic', 'set', 'map']));
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const at = path.child('x-kubernetes-list-type');
    errors.push(listType === undefined ? required(at, detail) : invalid(at, listType, detail));
  }
  if (listType === 'map') errors.push(...validateListMap(props, keys, path));
  return [...errors, ...validateUniqueItems(props, path)];
}

/** Elements of sets are compared as wholes. */
function validateSetItems({ items }: Props, path: FieldPath): FieldError[] {
  if (!isSchema(items)) return [];
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic')
    return [invalid(path.child('items', 'x-kubernetes-list-type'), listType, detail)];
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
    return [invalid(path.child('items', 'x-kubernetes-map-type'), listType ?? 'null', detail)];
  return [];
}

function validateListMap({ items }: Props, keys: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child('x-kubernetes-list-map-keys');
  if (keys.length === 0) errors.push(required(at, 'must not be empty if x-kubernetes-list-type is map'));
  if (items === undefined) return [...errors, required(path.child('items'), 'must have a schema if x-kubernetes-list-type is map')];
  if (!isSchema(items))
    return [...errors, invalid(path.child('items'), items, 'must only have a single schema if x-kubernetes-list-type is map')];
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(path.child('items', 'type'), items.type ?? '', detail)];
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const property = items.properties?.[key];
    if (property === undefined) errors.push(invalid(at, keys, 'entries must all be names of item properties'));
    else if (property.type === 'array' || property.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(path.child('items', 'properties').key(key).child('type'), items.type, detail));
    }
    if (seen.has(key)) errors.push(invalid(at, keys, 'must not contain duplicate entries'));
    seen.add(key);
  }
  return errors;
}

/** Elements of sets and list maps are never null: they are told apart by their value or by their keys. */
function validateUniqueItems(props: Props, path: FieldPath): FieldError[] {
  const { items } = props;
  const listType = props['x-kubernetes-list-type'];
  if (!isSchema(items) || (listType !== 'set' && listType !== 'map')) return [];
  const errors: FieldError[] = [];
  const at = path.child('items');
  if (items.nullable) errors.push(forbidden(at.child('nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType === 'set') return errors;
  for (const key of props['x-kubernetes-list-map-keys'] ?? []) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const own = at.child('properties').key(key);
    const isPresent = items.required?.includes(key) === true || (property.default !== undefined && property.default !== null);
    const about = 'this property is in x-kubernetes-list-map-keys, so it';
    if (!isPresent) errors.push(required(own.child('default'), `${about} must have a default or be a required property`));
    if (property.nullable) errors.push(forbidden(own.child('nullable'), `${about} cannot be nullable`));
  }
  return errors;
}
