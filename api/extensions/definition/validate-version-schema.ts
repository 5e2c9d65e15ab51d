import { type FieldError, forbidden, invalid } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { validateDefaults } from './default-rules.ts';
import { createRuleCosts, totalCostErrors } from './rule-costs.ts';
import { validateSchema } from './schema-rules.ts';
import { type Props, validateStructural } from './structural-rules.ts';
import { unsupportedProblem } from './unsupported-problem.ts';

/** The fields that a root schema may have beside the schema of the status, as upstream's message names them. */
const rootFields =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations';
const allowed: ReadonlySet<string> = new Set([
  ...rootFields.split(' ').map((name) => name.slice(0, 1).toLowerCase() + name.slice(1)),
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

/** Validates the schema of a version: that it is structural, and its defaults, extensions, rules and the cost of the rules. */
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
