import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { compileCEL, type Program } from '../../cel/compile-cel.ts';
import type { Environment } from '../../cel/environment.ts';
import { createKubernetesEnvironment } from '../../cel/kubernetes-environment.ts';
import { maxRequestBytes, type SizedType } from '../../cel/types/schema-types.ts';
import { optionalType } from '../../cel/types/types.ts';
import type { JSONSchemaProps, ValidationRule } from '../../types/apiextensions-v1.ts';
import { resolveSchemaPath } from './schema-path.ts';

type Props = DeepReadonly<JSONSchemaProps>;
type Rule = DeepReadonly<ValidationRule>;

/** A rule of `x-kubernetes-validations`, ready to be evaluated. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly usesOldSelf: boolean;
  /** Absent with an `error`. */
  readonly program?: Program;
  readonly error?: string;
  readonly message?: Program;
  readonly messageError?: string;
  /** The field that a violation names, relative to the rule's value. */
  readonly fieldPath: string;
}

const baseEnvironment = createKubernetesEnvironment({});

/** Compiles the rules of a schema whose values have that type. */
export function compileRules(props: Props, { type }: SizedType): CompiledRule[] {
  const rules = props['x-kubernetes-validations'] ?? [];
  let plain: Environment | undefined;
  let optional: Environment | undefined;
  return rules.map((rule) => {
    const environment = rule.optionalOldSelf
      ? (optional ??= baseEnvironment.extend({ variables: { self: type, oldSelf: optionalType(type) } }))
      : (plain ??= baseEnvironment.extend({ variables: { self: type, oldSelf: type } }));
    return compileRule(rule, environment, props);
  });
}

function compileRule(rule: Rule, environment: Environment, props: Props): CompiledRule {
  const fieldPath = fieldPathOf(rule, props);
  if (rule.rule.trim() === '') return { rule, usesOldSelf: false, fieldPath };
  const compiled = compileCEL(rule.rule, environment);
  if (!compiled.ok) return { rule, usesOldSelf: false, fieldPath, error: `compilation failed: ${compiled.message}` };
  const { program } = compiled;
  const { kind } = program.outputType;
  if (kind !== 'bool') return { rule, usesOldSelf: false, fieldPath, error: 'cel expression must evaluate to a bool' };
  const usesOldSelf = program.uses('oldSelf');
  return { rule, usesOldSelf, fieldPath, program, ...compileMessage(rule, environment) };
}

function compileMessage({ messageExpression }: Rule, environment: Environment): Pick<CompiledRule, 'message' | 'messageError'> {
  if (messageExpression === undefined || messageExpression === '') return {};
  const compiled = compileCEL(messageExpression, environment);
  if (!compiled.ok) return { messageError: `messageExpression compilation failed: ${compiled.message}` };
  if (compiled.program.outputType.kind !== 'string') return { messageError: 'messageExpression must evaluate to a string' };
  return { message: compiled.program };
}

function fieldPathOf({ fieldPath }: Rule, props: Props): string {
  if (fieldPath === undefined || fieldPath === '') return '';
  const resolved = resolveSchemaPath(fieldPath, props, { allowsSubscripts: true });
  return resolved.ok ? resolved.path.toString() : '';
}

/** How many values of the type a request can hold at most, by their size. */
export function maxCardinality({ minBytes }: SizedType): number {
  return Math.floor(maxRequestBytes / (minBytes + 1));
}
