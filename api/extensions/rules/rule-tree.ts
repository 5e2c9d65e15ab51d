import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { type SchemaLike, sizedTypeOfSchema, type SizedType } from '../../cel/types/schema-types.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';

type Props = DeepReadonly<JSONSchemaProps>;

/** The rules at and below a part of a schema. */
export interface RuleNode {
  readonly type: string;
  /** How old elements of a list are found. */
  readonly list: StructuralSchema;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly additionalProperties: RuleNode | undefined;
  readonly items: RuleNode | undefined;
  /** The own rules and the type of `self`; compiled when first asked for. undefined: there are none. */
  readonly own: (() => OwnRules) | undefined;
}

export interface OwnRules {
  readonly self: SizedType | undefined;
  readonly rules: readonly CompiledRule[];
}

/** The rules of a schema; undefined where it has none. */
export function ruleTreeOf(props: Props, isResourceRoot: boolean): RuleNode | undefined {
  const { items, additionalProperties: values } = props;
  const inner = (schema: unknown): RuleNode | undefined =>
    isSchema(schema) ? ruleTreeOf(schema, schema['x-kubernetes-embedded-resource'] === true) : undefined;
  const properties = new Map<string, RuleNode>();
  for (const [name, schema] of Object.entries(props.properties ?? {})) {
    const node = inner(schema);
    if (node) properties.set(name, node);
  }
  const [ofItems, ofValues] = [inner(items), inner(values)];
  const hasOwn = (props['x-kubernetes-validations'] ?? []).length > 0;
  if (!hasOwn && properties.size === 0 && ofItems === undefined && ofValues === undefined) return undefined;
  return {
    type: props.type ?? '',
    list: listSchema(props),
    properties,
    items: ofItems,
    additionalProperties: ofValues,
    own: hasOwn ? compiledOnce(props, isResourceRoot) : undefined,
  };
}

function isSchema(value: unknown): value is Props {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listSchema(props: Props): StructuralSchema {
  const keys = props['x-kubernetes-list-map-keys'];
  const isMap = props['x-kubernetes-list-type'] === 'map' && keys !== undefined;
  return { type: 'array', items: { type: 'any' }, ...(isMap ? { listType: 'map', listMapKeys: keys } : {}) };
}

function compiledOnce(props: Props, isResourceRoot: boolean): () => OwnRules {
  let made: OwnRules | undefined;
  return () => {
    if (made === undefined) {
      const self = sizedTypeOfSchema(props as SchemaLike, 'selfType', isResourceRoot);
      made = { self, rules: self === undefined ? [] : compileRules(props, self) };
    }
    return made;
  };
}
