import type { StructuralSchema } from '../schema/structural-schema.ts';
import { formatGoValue, goTypeOf } from '../patch/go-value.ts';
import { formatPathElement } from './path-element.ts';
import { ElementError, elementOf, elementSchema, isAtomicList, isMap, memberSchema } from './typed-schema.ts';

/**
 * The reasons why a value cannot be merged: unknown fields, values of the wrong shape, list elements with equal keys. Each reads like
 * `.spec.replicas: expected numeric (int or float), got string`.
 */
export function validateTyped(schema: StructuralSchema, value: unknown, path = ''): string[] {
  const problem = (message: string) => [path === '' ? message : `${path}: ${message}`];
  if (value === null || value === undefined) return [];
  switch (schema.type) {
    case 'object':
      return isMap(value) ? validateMembers(schema, value, path) : problem(`expected map, got &{${formatGoValue(value)}}`);
    case 'array':
      return Array.isArray(value) ? validateElements(schema, value, path) : problem(`expected list, got &{${formatGoValue(value)}}`);
    case 'integer':
    case 'number':
      if (typeof value === 'number' || typeof value === 'bigint') return [];
      return problem(`expected numeric (int or float), got ${goTypeOf(value)}`);
    case 'boolean':
      return typeof value === 'boolean' ? [] : problem(`expected boolean, got &{${formatGoValue(value)}}`);
    case 'string':
      if (isAnyScalar(schema)) {
        return typeof value === 'object' ? problem(`expected any scalar, got &{${formatGoValue(value)}}`) : [];
      }
      if (typeof value === 'string') return [];
      return problem(`expected string, got &value.valueUnstructured{Value:${formatGoValue(value)}}`);
    case 'any':
      return [];
  }
}

/** Types that are strings with a parser of their own (quantities, times, int-or-string) take any scalar here. */
function isAnyScalar(schema: StructuralSchema): boolean {
  return schema.format !== undefined && schema.format !== 'byte';
}

function validateMembers(schema: StructuralSchema, value: Readonly<Record<string, unknown>>, path: string): string[] {
  const problems: string[] = [];
  for (const key of Object.keys(value)) {
    const at = `${path}.${key}`;
    const member = memberSchema(schema, key);
    if (member === undefined) problems.push(`${at}: field not declared in schema`);
    else problems.push(...validateTyped(member, value[key], at));
  }
  return problems;
}

function validateElements(schema: StructuralSchema, list: readonly unknown[], path: string): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, value] of list.entries()) {
    let element = `i:${index}`;
    if (!isAtomicList(schema)) {
      try {
        element = elementOf(schema, value);
      } catch (error) {
        if (!(error instanceof ElementError)) throw error;
        problems.push(`${path}: element ${index}: ${error.message}`);
        return problems;
      }
      if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${formatPathElement(element)}`);
      seen.add(element);
    }
    problems.push(...validateTyped(elementSchema(schema), value, path + formatPathElement(element)));
  }
  return problems;
}

/** Joins several problems into one message as upstream does. */
export function formatProblems(problems: readonly string[]): string {
  return problems.length === 1 ? (problems[0] ?? '') : ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n');
}
