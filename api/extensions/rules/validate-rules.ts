import type { Activation, Evaluation, Program } from '../../cel/compile-cel.ts';
import { perCallCostLimit } from '../../cel/cost/runtime-costs.ts';
import { valueOfJSON } from '../../cel/run/json-values.ts';
import type { CELType } from '../../cel/types/types.ts';
import { type CELValue, Failure, none, OptionalValue } from '../../cel/types/values.ts';
import { isJSONObject } from '../../base/json-object.ts';
import { quote } from '../../base/quote.ts';
import { duplicate, type FieldError, forbidden, invalid, required } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { Correlation } from '../validation/correlation.ts';
import type { CompiledRule } from './compile-rules.ts';
import type { RuleNode } from './rule-tree.ts';

/** The most that all rules of one object may cost together. */
const objectCostBudget = 10_000_000;
const maxMessageBytes = 5 * 1024;

/** The old value of the part at hand, and of the part around it. */
interface Ratcheting {
  readonly current?: Correlation | undefined;
  readonly parent?: Correlation | undefined;
}

export interface RuleViolations {
  readonly errors: readonly FieldError[];
  /** Violations in values that an update has not changed. The user gets them as warnings. */
  readonly tolerated: readonly FieldError[];
}

interface Run {
  readonly errors: FieldError[];
  readonly tolerated: FieldError[];
  /** Negative: no rule is evaluated any more. */
  budget: number;
}

/** The violations of the rules of an object. With a correlation, those of unchanged parts are tolerated, but of rules that read oldSelf. */
export function validateRules(
  tree: RuleNode,
  object: unknown,
  old: unknown,
  correlation: Correlation | undefined,
  path: FieldPath,
): RuleViolations {
  const run: Run = { errors: [], tolerated: [], budget: objectCostBudget };
  visit(tree, object, old, { current: correlation }, path, run);
  return run;
}

function visit(node: RuleNode, value: unknown, old: unknown, ratcheting: Ratcheting, path: FieldPath, run: Run): void {
  if (value === null || value === undefined || run.budget < 0) return;
  if (node.own) evaluateRules(node, value, old, ratcheting, path, run);
  if (Array.isArray(value)) visitItems(node, value, old, ratcheting, path, run);
  else if (isJSONObject(value)) visitFields(node, value, isJSONObject(old) ? old : {}, ratcheting, path, run);
}

function visitItems(node: RuleNode, list: readonly unknown[], old: unknown, ratcheting: Ratcheting, path: FieldPath, run: Run): void {
  const { items } = node;
  if (items === undefined) return;
  const byKeys = new Correlation(list, old, node.list);
  for (let index = 0; index < list.length && run.budget >= 0; index++) {
    const { current } = ratcheting;
    const inner = current ? { current: current.index(index), parent: current } : ratcheting;
    visit(items, list[index], byKeys.index(index)?.old, inner, path.index(index), run);
  }
}

function visitFields(
  node: RuleNode,
  object: Readonly<Record<string, unknown>>,
  old: Readonly<Record<string, unknown>>,
  ratcheting: Ratcheting,
  path: FieldPath,
  run: Run,
): void {
  for (const key in object) {
    const property = node.properties.get(key);
    const inner = property ?? node.additionalProperties;
    if (inner === undefined || run.budget < 0) continue;
    const oldValue = Object.hasOwn(old, key) ? old[key] : undefined;
    visit(inner, object[key], oldValue, ratchetingOf(ratcheting, key), property ? path.child(key) : path.key(key), run);
  }
}

function ratchetingOf(ratcheting: Ratcheting, key: string): Ratcheting {
  const { current, parent } = ratcheting;
  if (current === undefined) return ratcheting;
  if (parent === undefined && (key === 'apiVersion' || key === 'kind')) return {};
  return { current: current.key(key), parent: current };
}

function evaluateRules(node: RuleNode, value: unknown, old: unknown, ratcheting: Ratcheting, path: FieldPath, run: Run): void {
  const own = node.own?.();
  if (own === undefined) return;
  const { self: type } = own;
  if (type === undefined) {
    run.errors.push(invalid(path, node.type, 'rule compiler initialization error: failed to convert to declType for CEL validation rules'));
    return;
  }
  const hasOld = old !== null && old !== undefined;
  const usesOld = own.rules.some((rule) => rule.usesOldSelf);
  const self = readValue(value, type.type);
  const oldSelf = usesOld && hasOld ? readValue(old, type.type) : undefined;
  const unreadable = [self, oldSelf].find((read) => read instanceof Failure);
  if (self instanceof Failure || oldSelf instanceof Failure) {
    const error = unreadable instanceof Failure ? unreadable.message : '';
    for (const rule of own.rules) run.errors.push(invalid(path, node.type, `${error} evaluating rule: ${titleOf(rule)}`));
    return;
  }
  const plain: Activation = oldSelf === undefined ? { self } : { self, oldSelf };
  const optional: Activation = { self, oldSelf: oldSelf === undefined ? none : new OptionalValue(oldSelf) };
  for (const compiled of own.rules) {
    if (run.budget <= 0) {
      run.errors.push(outOfBudget(path, node.type));
      run.budget = -1;
      return;
    }
    if (compiled.error !== undefined) run.errors.push(invalid(path, node.type, `rule compile error: ${compiled.error}`));
    const isOptional = compiled.rule.optionalOldSelf === true;
    if (compiled.program === undefined || (compiled.usesOldSelf && !hasOld && !isOptional)) continue;
    const result = evaluate(compiled.program, isOptional && usesOld ? optional : plain, run);
    if (result === undefined) {
      run.errors.push(outOfBudget(path, node.type));
      return;
    }
    if (!result.ok) addFailure(compiled, result, node.type, path, run);
    else if (result.value !== true) {
      const error = violationOf(compiled, plain, node.type, path, run);
      const isTolerated = !compiled.usesOldSelf && (ratcheting.current ?? ratcheting.parent)?.isUnchanged === true;
      (isTolerated ? run.tolerated : run.errors).push(error);
    }
    if (run.budget < 0) return;
  }
}

/** The value, or why it is not of the type: an update tolerates wrong types that were there. */
function readValue(json: unknown, type: CELType): CELValue | Failure {
  try {
    return valueOfJSON(json, type);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** The result, paid for; undefined where it cost more than there was. */
function evaluate(program: Program, activation: Activation, run: Run): Evaluation | undefined {
  const result = program.evaluate(activation, { costLimit: perCallCostLimit });
  if (result.cost > run.budget) {
    run.budget = -1;
    return undefined;
  }
  run.budget -= result.cost;
  return result;
}

function outOfBudget(path: FieldPath, type: string): FieldError {
  return invalid(path, type, 'validation failed due to running out of cost budget, no further validation rules will be run');
}

/** How messages name a rule. */
function titleOf({ rule }: CompiledRule): string {
  return (rule.message || rule.rule).trim();
}

function addFailure(compiled: CompiledRule, result: Evaluation & { readonly ok: false }, type: string, path: FieldPath, run: Run): void {
  const { error, isTooCostly } = result;
  const title = titleOf(compiled);
  if (isTooCostly) {
    run.errors.push(
      invalid(path, type, `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${title}`),
    );
    run.budget = -1;
  } else if (error.startsWith('no such overload')) {
    const detail = `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${title}`;
    run.errors.push(invalid(path, type, detail));
  } else run.errors.push(invalid(path, type, `${error} evaluating rule: ${title}`));
}

function violationOf(compiled: CompiledRule, activation: Activation, type: string, path: FieldPath, run: Run): FieldError {
  const at = compiled.fieldPath === '' ? path : path.child(compiled.fieldPath);
  const { rule, message } = compiled;
  const fallback = rule.message ? rule.message.trim() : `failed rule: ${titleOf(compiled)}`;
  if (message === undefined) return errorFor(rule.reason, at, type, fallback);
  const result = evaluate(message, activation, run);
  if (result === undefined)
    return invalid(
      at,
      type,
      'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
    );
  if (!result.ok && result.isTooCostly) {
    run.budget = -1;
    const detail = `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${quote(rule.messageExpression ?? '')}`;
    return invalid(at, type, detail);
  }
  const text = result.ok && typeof result.value === 'string' ? result.value.trim() : '';
  const isUsable = text !== '' && !text.includes('\n') && new TextEncoder().encode(text).length <= maxMessageBytes;
  return errorFor(rule.reason, at, type, isUsable ? text : fallback);
}

function errorFor(reason: string | undefined, path: FieldPath, type: string, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail);
    case 'FieldValueRequired':
      return required(path, detail);
    case 'FieldValueDuplicate':
      return duplicate(path, type);
    default:
      return invalid(path, type, detail);
  }
}
