import { isEqual } from '../../base/equality.ts';
import type { JSONObject } from '../../base/json-object.ts';
import { maxFieldErrors } from '../../validation/field-error.ts';
import type { Correlation } from './correlation.ts';
import { formatGoFloat } from './go-float.ts';
import { findPatternProblem } from './match-pattern.ts';
import {
  alternativesFailed,
  invalidValue,
  nonPositiveFactor,
  notInEnum,
  requiredValue,
  tooLongValue,
  tooManyParts,
  type ValueError,
  wrongType,
} from './value-errors.ts';
import type { ValuePlan } from './value-plan.ts';

/** The errors of one value, each message once, and the number of rules that were checked, which decides between alternatives. */
class Result {
  readonly errors = new Map<string, ValueError>();
  matches = 0;

  add(error: ValueError | undefined): void {
    if (error !== undefined && this.errors.size < maxFieldErrors && !this.errors.has(error.message)) this.errors.set(error.message, error);
  }

  merge(other: Result): void {
    for (const error of other.errors.values()) this.add(error);
    this.matches += other.matches;
  }

  get isValid(): boolean {
    return this.errors.size === 0;
  }
}

/**
 * The errors of a value by its schema, with upstream's messages in upstream's order. With a correlation, errors in parts that an update did
 * not change are tolerated.
 */
export function validateValue(plan: ValuePlan, value: unknown, correlation?: Correlation): readonly ValueError[] {
  if (correlation !== undefined && !plan.isContrary) {
    // Most updates are valid, and then nothing need be compared.
    const result = new Result();
    check(plan, value, '', undefined, result);
    if (result.isValid) return [];
  }
  const result = new Result();
  checkRatcheting(plan, value, '', correlation, result);
  return [...result.errors.values()];
}

function checkRatcheting(plan: ValuePlan, value: unknown, path: string, correlation: Correlation | undefined, result: Result): void {
  if (correlation === undefined) {
    check(plan, value, path, undefined, result);
    return;
  }
  const own = new Result();
  check(plan, value, path, correlation, own);
  if (own.isValid || !correlation.isUnchanged) result.merge(own);
  else result.matches += own.matches;
}

type JSONType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null';

function typeOf(value: unknown): JSONType {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return 'integer';
    case 'number':
      return Number.isSafeInteger(value) ? 'integer' : 'number';
    default:
      return Array.isArray(value) ? 'array' : 'object';
  }
}

function check(plan: ValuePlan, value: unknown, path: string, correlation: Correlation | undefined, result: Result): void {
  const type = typeOf(value);
  if (type === 'null') {
    if (plan.types.length > 0 && !plan.nullable) result.add(wrongType(path, plan.types.join(','), 'null'));
    else result.matches++;
    result.add(findEnumProblem(plan, value, path));
    return;
  }
  if (plan.types.length > 0 || plan.format !== '') {
    const problem = findTypeProblem(plan, type, path);
    if (problem) result.add(problem);
    else result.matches++;
    result.matches++;
  }
  if (plan.hasAlternatives) checkAlternatives(plan, value, path, correlation, result);
  result.matches += 2;
  if (type === 'string') checkString(plan, value as string, path, result);
  else if (type === 'integer' || type === 'number') checkNumber(plan, value as number | bigint, path, result);
  else if (type === 'array') checkList(plan, value as unknown[], path, correlation, result);
  result.add(findEnumProblem(plan, value, path));
  result.matches++;
  if (type === 'object') {
    checkObject(plan, value as JSONObject, path, correlation, result);
    result.matches++;
  }
  result.matches++;
}

/** A value with a format that is text or a list passes, whatever type is wanted besides numbers. */
function findTypeProblem({ types, format }: ValuePlan, type: JSONType, path: string): ValueError | undefined {
  const isWanted = types.includes(type) || (type === 'integer' && types.includes('number'));
  const isTextOrList = type === 'string' || type === 'array';
  if (format !== '' && !isTextOrList && !isWanted) {
    const found = type === 'integer' ? 'int64' : type === 'number' ? 'float64' : '';
    if (found !== format) return wrongType(path, format, found);
  }
  if (format !== '' && isTextOrList && !types.includes('number') && !types.includes('integer')) return undefined;
  return isWanted ? undefined : wrongType(path, types.join(','), type);
}

function checkString(plan: ValuePlan, text: string, path: string, result: Result): void {
  result.matches++;
  result.add(findTextProblem(plan, text, path));
  if (plan.matchesFormat === undefined) return;
  if (!plan.matchesFormat(text)) result.add(wrongType(path, plan.format, text));
  result.matches++;
}

function findTextProblem({ maxLength, minLength, pattern }: ValuePlan, text: string, path: string): ValueError | undefined {
  if (maxLength !== undefined && isLonger(text, maxLength)) return tooLongValue(path, maxLength);
  if (minLength !== undefined && minLength > 0 && !isLonger(text, minLength - 1))
    return invalidValue(path, text, `should be at least ${minLength} chars long`);
  const problem = pattern === '' ? undefined : findPatternProblem(text, pattern);
  return problem === undefined ? undefined : invalidValue(path, text, problem);
}

/** Whether the text has more code points than that. */
function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  if (text.length > 2 * limit) return true;
  let count = 0;
  for (const _ of text) if (++count > limit) return true;
  return false;
}

function checkNumber(plan: ValuePlan, value: number | bigint, path: string, result: Result): void {
  const { multipleOf, minimum, maximum } = plan;
  const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value);
  // Whole numbers are compared with whole numbers, as upstream's integers are.
  const limitOf = (limit: number) => (isInteger ? Math.trunc(limit) : limit);
  const shown = (limit: number) => (isInteger ? String(limitOf(limit)) : formatGoFloat(limit));
  if (multipleOf !== undefined) {
    const factor = limitOf(multipleOf);
    if (factor <= 0) result.add(nonPositiveFactor(path, factor, shown(multipleOf)));
    else if (!isMultiple(value, factor)) result.add(invalidValue(path, value, `should be a multiple of ${shown(multipleOf)}`));
  }
  if (minimum !== undefined) {
    const limit = limitOf(minimum.value);
    if (minimum.isExclusive ? value <= limit : value < limit)
      result.add(invalidValue(path, value, `should be greater than ${minimum.isExclusive ? '' : 'or equal to '}${shown(minimum.value)}`));
  }
  if (maximum !== undefined) {
    const limit = limitOf(maximum.value);
    if (maximum.isExclusive ? value >= limit : value > limit)
      result.add(invalidValue(path, value, `should be less than ${maximum.isExclusive ? '' : 'or equal to '}${shown(maximum.value)}`));
  }
  result.matches += 2;
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === 'bigint') return value % BigInt(factor) === 0n;
  if (Number.isSafeInteger(value)) return value % factor === 0;
  return isAlmostInteger(factor < 1 ? (1 / factor) * value : value / factor);
}

/** Whether go-openapi takes the number for an integer: it tolerates a small error. */
function isAlmostInteger(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  const epsilon = 1e-9;
  const diff = Math.abs(value - Math.trunc(value));
  if (value === Math.trunc(value)) return true;
  const whole = Math.trunc(value);
  if (whole === 0 || value === 0) return diff < epsilon * Number.MIN_VALUE;
  return diff / Math.min(Math.abs(value) + Math.abs(whole), Number.MAX_VALUE) < epsilon;
}

function checkList(plan: ValuePlan, list: readonly unknown[], path: string, correlation: Correlation | undefined, result: Result): void {
  const { items, minItems, maxItems } = plan;
  if (items !== undefined) {
    for (let index = 0; index < list.length && result.errors.size < maxFieldErrors; index++)
      checkRatcheting(items, list[index], `${path}[${index}]`, correlation?.index(index), result);
  }
  if (minItems !== undefined && list.length < minItems)
    result.add(invalidValue(path, list.length, `should have at least ${minItems} items`));
  if (maxItems !== undefined && list.length > maxItems) result.add(tooManyParts(path, 'items', list.length, maxItems));
  result.matches += 2;
}

function findEnumProblem({ enum: allowed, enumTexts }: ValuePlan, value: unknown, path: string): ValueError | undefined {
  if (typeof value === 'string' && enumTexts.has(value)) return undefined;
  return allowed.length === 0 || allowed.some((one) => one !== null && isSame(value, one)) ? undefined : notInEnum(path, value, allowed);
}

function isSame(value: unknown, allowed: unknown): boolean {
  if (isEqual(value, allowed)) return true;
  // A number is compared in the Go type of the enumeration's value.
  return typeof value === 'number' && typeof allowed === 'number' && Number.isInteger(allowed) && Math.trunc(value) === allowed;
}

function checkObject(plan: ValuePlan, object: JSONObject, path: string, correlation: Correlation | undefined, result: Result): void {
  const { properties, additionalProperties, required } = plan;
  const hasLimits = plan.minProperties !== undefined || plan.maxProperties !== undefined;
  const count = hasLimits ? Object.keys(object).length : 0;
  if (plan.minProperties !== undefined && count < plan.minProperties)
    result.add(invalidValue(path, count, `should have at least ${plan.minProperties} properties`));
  if (plan.maxProperties !== undefined && count > plan.maxProperties)
    result.add(tooManyParts(path, 'properties', count, plan.maxProperties));
  for (const key in object) {
    const property = properties.get(key);
    const inner = property ?? additionalProperties;
    if (inner === undefined || result.errors.size >= maxFieldErrors) continue;
    const at = property !== undefined && path === '' ? key : `${path}.${key}`;
    // The version of both objects is that of the request, whatever it was.
    const isTypeMeta = path === '' && (key === 'kind' || key === 'apiVersion');
    checkRatcheting(inner, object[key], at, isTypeMeta ? undefined : correlation?.key(key), result);
  }
  for (const name of required) if (!Object.hasOwn(object, name)) result.add(requiredValue(`${path}.${name}`));
}

function checkAlternatives(plan: ValuePlan, value: unknown, path: string, correlation: Correlation | undefined, result: Result): void {
  const { anyOf, oneOf, allOf, not } = plan;
  const own = new Result();
  const resultOf = (alternative: ValuePlan) => {
    const inner = new Result();
    check(alternative, value, path, correlation, inner);
    return inner;
  };
  if (anyOf.length > 0) {
    const { best, first } = compare(anyOf, resultOf, true);
    if (first === undefined) own.add(alternativesFailed(path, 'must validate at least one schema (anyOf)'));
    const kept = first ?? best;
    if (kept) own.merge(kept);
  }
  if (oneOf.length > 0) {
    const { best, first, valid } = compare(oneOf, resultOf, false);
    if (valid === 1 && first) own.merge(first);
    else {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
      own.add(alternativesFailed(path, `must validate one and only one schema (oneOf). ${found}`));
      if (best && valid === 0) own.merge(best);
    }
  }
  if (allOf.length > 0) {
    const results = allOf.map(resultOf);
    for (const inner of results) own.merge(inner);
    const valid = results.filter((inner) => inner.isValid).length;
    if (valid < results.length)
      own.add(alternativesFailed(path, `must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`));
  }
  if (not !== undefined && resultOf(not).isValid) own.add(alternativesFailed(path, 'must not validate the schema (not)'));
  result.merge(own);
}

interface Compared {
  /** The failure in which most rules were met. */
  readonly best: Result | undefined;
  readonly first: Result | undefined;
  readonly valid: number;
}

function compare(alternatives: readonly ValuePlan[], resultOf: (plan: ValuePlan) => Result, stopsAtFirst: boolean): Compared {
  let best: Result | undefined;
  let first: Result | undefined;
  let valid = 0;
  for (const alternative of alternatives) {
    const result = resultOf(alternative);
    if (result.isValid) {
      valid++;
      first ??= result;
      if (stopsAtFirst) break;
    } else if (best === undefined || result.matches > best.matches) {
      best = result;
    }
  }
  return { best, first, valid };
}
