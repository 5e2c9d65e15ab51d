import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';
import { findFormat } from './string-formats.ts';

type Props = DeepReadonly<JSONSchemaProps>;

/** The rules of a schema, in the form in which values are checked by them. */
export interface ValuePlan {
  /** Several: the value may be of any of them. None: any type. */
  readonly types: readonly string[];
  readonly nullable: boolean;
  /** The format, if the server knows it. */
  readonly format: string;
  readonly matchesFormat: ((text: string) => boolean) | undefined;
  readonly enum: readonly unknown[];
  /** The texts among them. */
  readonly enumTexts: ReadonlySet<unknown>;
  readonly maximum: Limit | undefined;
  readonly minimum: Limit | undefined;
  readonly multipleOf: number | undefined;
  readonly maxLength: number | undefined;
  readonly minLength: number | undefined;
  readonly pattern: string;
  readonly maxItems: number | undefined;
  readonly minItems: number | undefined;
  readonly maxProperties: number | undefined;
  readonly minProperties: number | undefined;
  readonly required: readonly string[];
  readonly properties: ReadonlyMap<string, ValuePlan>;
  readonly additionalProperties: ValuePlan | undefined;
  readonly items: ValuePlan | undefined;
  readonly allOf: readonly ValuePlan[];
  readonly anyOf: readonly ValuePlan[];
  readonly oneOf: readonly ValuePlan[];
  readonly not: ValuePlan | undefined;
  readonly hasAlternatives: boolean;
  /** Whether an error below that is tolerated could make a valid value invalid (not, oneOf). */
  readonly isContrary: boolean;
}

interface Limit {
  readonly value: number;
  readonly isExclusive: boolean;
}

export interface PlanOptions {
  /** Whether an int-or-string value is checked to be one. Upstream does not check defaults for it. */
  readonly checksIntOrString: boolean;
}

/** The plan of a schema; made once for a version of a definition. */
export function planValue(props: Props, options: PlanOptions = { checksIntOrString: true }): ValuePlan {
  const planInner = (inner: Props) => planValue(inner, options);
  const isIntOrString = options.checksIntOrString && props['x-kubernetes-int-or-string'];
  const { additionalProperties, items } = props;
  const found = findFormat(props.format ?? '');
  const list = (schemas: readonly Props[] | undefined) => (schemas ?? []).map(planInner);
  const [allOf, anyOf, oneOf] = [list(props.allOf), list(props.anyOf), list(props.oneOf)];
  const plan = {
    types: isIntOrString ? ['integer', 'string'] : props.type ? [props.type] : [],
    nullable: props.nullable === true,
    format: found?.name ?? '',
    matchesFormat: found?.matches,
    enum: props.enum ?? [],
    enumTexts: new Set(props.enum?.filter((one) => typeof one === 'string')),
    maximum: limit(props.maximum, props.exclusiveMaximum),
    minimum: limit(props.minimum, props.exclusiveMinimum),
    multipleOf: props.multipleOf,
    maxLength: props.maxLength,
    minLength: props.minLength,
    pattern: props.pattern ?? '',
    maxItems: props.maxItems,
    minItems: props.minItems,
    maxProperties: props.maxProperties,
    minProperties: props.minProperties,
    required: props.required ?? [],
    properties: new Map(Object.entries(props.properties ?? {}).map(([name, schema]) => [name, planInner(schema)])),
    additionalProperties: isSchema(additionalProperties) ? planInner(additionalProperties) : undefined,
    items: isSchema(items) ? planInner(items) : undefined,
    allOf,
    anyOf,
    oneOf,
    not: props.not && planInner(props.not),
  };
  const inner = [...plan.properties.values(), plan.additionalProperties, plan.items, ...allOf, ...anyOf, ...oneOf];
  return {
    ...plan,
    hasAlternatives: allOf.length + anyOf.length + oneOf.length > 0 || plan.not !== undefined,
    isContrary: plan.not !== undefined || oneOf.length > 0 || inner.some((other) => other?.isContrary),
  };
}

function isSchema(value: unknown): value is Props {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function limit(value: number | undefined, isExclusive: boolean | undefined): Limit | undefined {
  return value === undefined ? undefined : { value, isExclusive: isExclusive === true };
}
