import { isSchema, type Props } from './structural-rules.ts';

/** Describes a part of a schema that can never be part of a structural schema. */
export function unsupportedProblem(props: Props): string | undefined {
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
