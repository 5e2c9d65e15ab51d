import { type FieldError, forbidden, invalid } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { validateDefaults } from './default-rules.ts';
import { createRuleCosts, totalCostErrors } from './rule-costs.ts';
import { validateSchema } from './schema-rules.ts';
import { isSchema, type Props, validateStructural } from './structural-rules.ts';

/** Fields of a root schema beside which the schema of the status stands alone; as upstream's message names them. */
const rootFields =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations';
const allowed: ReadonlySet<string> = new Set([
  ...rootFields.split(' ').map((name) => name.slice(0, 1).toLowerCase() + name.slice(1)),
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

/** Validates the schema of a version: that it is structural, its defaults, its extensions, its rules and what they cost. */
export function validateVersionSchema(props: Props, hasStatus: boolean, path: FieldPath): FieldError[] {
  const errors = hasStatus ? validateRoot(props, path) : [];
  if (props.nullable) errors.push(forbidden(path.child('nullable'), 'nullable cannot be true at the root'));
  const structural = unsupportedProblem(props) === undefined ? validateStructural(props, path) : undefined;
  const ofDefaults = structural?.length === 0 ? validateDefaults(props, path) : [];
  const costs = structural?.length === 0 && ofDefaults.length === 0 ? createRuleCosts() : undefined;
  errors.push(...(structural ?? []), ...ofDefaults, ...validateSchema(props, path, costs));
  if (errors.length === 0) {
    const problem = unsupportedProblem(props);
    if (problem !== undefined) errors.push(invalid(path, '', problem));
  }
  return costs === undefined ? errors : [...errors, ...totalCostErrors(costs, path)];
}

function validateRoot(props: Props, path: FieldPath): FieldError[] {
  if (props.type && props.type !== 'object') {
    const detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalid(path.child('type'), props.type, detail)];
  }
  const isOther = Object.entries(props).some(([field, value]) => value !== undefined && value !== false && !allowed.has(field));
  const detail = `only [${rootFields}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return isOther ? [invalid(path, props, detail)] : [];
}

/** A part of a schema that cannot be made structural at all. */
function unsupportedProblem(props: Props): string | undefined {
  const fields: [string, unknown][] = [
    ['id', props.id || undefined],
    ['schema', props.$schema || undefined],
    ['$ref', props.$ref || undefined],
    ['patternProperties', Object.keys(props.patternProperties ?? {})[0]],
    ['dependencies', Object.keys(props.dependencies ?? {})[0]],
    ['additionalItems', props.additionalItems],
    ['definitions', Object.keys(props.definitions ?? {})[0]],
  ];
  const found = fields.find(([, value]) => value !== undefined);
  if (found) return `OpenAPIV3Schema '${found[0]}' is not supported`;
  if (props['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  if (Array.isArray(props.items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  const { items, additionalProperties: values, properties = {}, allOf = [], anyOf = [], oneOf = [], not } = props;
  for (const inner of [items, values, not, ...allOf, ...anyOf, ...oneOf, ...Object.values(properties)]) {
    const problem = isSchema(inner) ? unsupportedProblem(inner) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}
