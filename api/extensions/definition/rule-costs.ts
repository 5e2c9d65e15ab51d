import { mostCost } from '../../cel/cost/ranges.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { type FieldError, forbidden } from '../../validation/field-error.ts';
import type { Props } from './structural-rules.ts';

const expressionLimit = 10_000_000;
const schemaLimit = 100_000_000;

/** The estimated costs of all rules of a schema. */
export interface RuleCosts {
  total: number;
  /** The most costly expressions, the most costly first. */
  expensive: readonly { readonly path: FieldPath; readonly cost: number }[];
}

export function createRuleCosts(): RuleCosts {
  return { total: 0, expensive: [] };
}

/** The product of a cost and how often it is paid, which has a greatest value. */
export function multiplyCost(cost: number, times: number): number {
  return cost === 0 ? 0 : Math.min(cost * times, mostCost);
}

/** Counts an expression. Modifies. */
export function addCost(costs: RuleCosts, path: FieldPath, cost: number): void {
  costs.total = Math.min(costs.total + cost, mostCost);
  if (cost < schemaLimit / 100) return;
  costs.expensive = [...costs.expensive, { path, cost }].toSorted((a, b) => b.cost - a.cost).slice(0, 4);
}

export function expressionCostError(path: FieldPath, what: string, cost: number): FieldError[] {
  return cost > expressionLimit ? [forbidden(path, costMessage(what, cost, expressionLimit))] : [];
}

/** The errors of rules that together may cost too much. */
export function totalCostErrors({ total, expensive }: RuleCosts, path: FieldPath): FieldError[] {
  if (total <= schemaLimit) return [];
  const detail = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  return [...expensive.map((rule) => forbidden(rule.path, detail)), forbidden(path, costMessage(what, total, schemaLimit))];
}

function costMessage(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** The greatest number of values of the child schema for one value of this schema; undefined if it is unbounded. */
export function maxElements({ type, additionalProperties, maxProperties, maxItems }: Props): number | undefined {
  if (type === 'array') return maxItems === undefined ? undefined : Math.max(0, maxItems);
  if (type !== 'object' || additionalProperties === undefined) return 1;
  return maxProperties === undefined ? undefined : Math.max(0, maxProperties);
}
