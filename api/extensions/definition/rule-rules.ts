import { sizedTypeOfSchema, type SchemaLike, type SizedType } from '../../cel/types/schema-types.ts';
import { type FieldError, internal, invalid, notSupported, required } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { type CompiledRule, compileRules, maxCardinality } from '../rules/compile-rules.ts';
import { resolveSchemaPath } from '../rules/schema-path.ts';
import { addCost, expressionCostError, multiplyCost, type RuleCosts } from './rule-costs.ts';
import type { Props } from './structural-rules.ts';
import { unsupportedProblem } from './unsupported-problem.ts';

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const hasBreaks = (text: string) => /[\n\r]/.test(text);

/** Validates the parts of rules that are no expressions. */
export function validateRuleTexts(props: Props, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, rule] of (props['x-kubernetes-validations'] ?? []).entries()) {
    const at = path.child('x-kubernetes-validations').index(index);
    const { message = '', messageExpression = '', fieldPath = '', reason } = rule;
    const text = (rule.rule ?? '').trim();
    if (text === '') errors.push(required(at.child('rule'), 'rule is not specified'));
    else if (message !== '' && message.trim() === '')
      errors.push(invalid(at.child('message'), message, 'message must be non-empty if specified'));
    else if (hasBreaks(message.trim())) errors.push(invalid(at.child('message'), message, 'message must not contain line breaks'));
    else if (hasBreaks(text) && message.trim() === '')
      errors.push(required(at.child('message'), 'message must be specified if rule contains line breaks'));
    if (messageExpression !== '' && messageExpression.trim() === '')
      errors.push(required(at.child('messageExpression'), 'messageExpression must be non-empty if specified'));
    if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(at.child('reason'), reason, reasons));
    if (fieldPath === '') continue;
    if (fieldPath.trim() === '') errors.push(invalid(at.child('fieldPath'), fieldPath, 'fieldPath must be non-empty if specified'));
    if (hasBreaks(fieldPath)) errors.push(invalid(at.child('fieldPath'), fieldPath, 'fieldPath must not contain line breaks'));
    if (unsupportedProblem(props) === undefined && !resolveSchemaPath(fieldPath, props, { allowsSubscripts: true }).ok)
      errors.push(invalid(at.child('fieldPath'), fieldPath, 'fieldPath must be a valid path'));
  }
  return errors;
}

/** The place of rules in a schema. */
export interface RuleScope {
  readonly isResourceRoot: boolean;
  /** How many values the rules may be evaluated for; undefined: nothing bounds them. */
  readonly cardinality: number | undefined;
  readonly costs: RuleCosts;
  /** The nearest list whose elements are not found in the old object. */
  readonly uncorrelatable: FieldPath | undefined;
}

/** Compiles the rules of a schema and estimates their cost. */
export function validateRuleExpressions(props: Props, path: FieldPath, scope: RuleScope): FieldError[] {
  const at = path.child('x-kubernetes-validations');
  const type = sizedTypeOfSchema(props as SchemaLike, 'selfType', scope.isResourceRoot);
  if (type === undefined) {
    const problem =
      'failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations';
    return [internal(at, `internal error: ${problem}`)];
  }
  return compileRules(props, type).flatMap((compiled, index) => validateCompiled(compiled, type, at.index(index), scope));
}

/** A rule as messages show it: upstream's own form of it. */
function shown({ rule, message, messageExpression, reason, fieldPath, optionalOldSelf }: CompiledRule['rule']): object {
  return {
    Rule: rule,
    Message: message ?? '',
    MessageExpression: messageExpression ?? '',
    Reason: reason ?? null,
    FieldPath: fieldPath ?? '',
    OptionalOldSelf: optionalOldSelf ?? null,
  };
}

function validateCompiled(compiled: CompiledRule, type: SizedType, at: FieldPath, scope: RuleScope): FieldError[] {
  const { rule, program, error, message, messageError, usesOldSelf } = compiled;
  const errors: FieldError[] = [];
  const cardinality = scope.cardinality ?? maxCardinality(type);
  const cost = program === undefined ? 0 : multiplyCost(program.estimateCost().max, cardinality);
  errors.push(...expressionCostError(at.child('rule'), 'estimated rule cost', cost));
  addCost(scope.costs, at.child('rule'), cost);
  if (error !== undefined) errors.push(invalid(at.child('rule'), shown(rule), error));
  if (messageError !== undefined) errors.push(invalid(at.child('messageExpression'), shown(rule), messageError));
  else if (message !== undefined) {
    const messageCost = message.estimateCost().max;
    errors.push(...expressionCostError(at.child('messageExpression'), 'estimated messageExpression cost', messageCost));
    addCost(scope.costs, at.child('messageExpression'), messageCost);
  }
  if (usesOldSelf) {
    if (scope.uncorrelatable !== undefined)
      errors.push(
        invalid(
          at.child('rule'),
          rule.rule,
          `oldSelf cannot be used on the uncorrelatable portion of the schema within ${scope.uncorrelatable}`,
        ),
      );
  } else if (rule.optionalOldSelf !== undefined) {
    errors.push(invalid(at.child('optionalOldSelf'), rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  }
  return errors;
}
