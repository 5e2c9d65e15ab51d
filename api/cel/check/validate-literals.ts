import { type Expr, partsOf } from '../syntax/ast.ts';
import type { CheckedExpr } from './check.ts';
import type { Issue } from '../syntax/issues.ts';
import { compileRegex } from '../run/regex.ts';
import { parseDurationText, parseTimestampText } from '../types/time-values.ts';
import { type CELType, dynType, equalTypes, formatType } from '../types/types.ts';
import { Failure } from '../types/values.ts';

const readers: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  ['duration', parseDurationText],
  ['timestamp', parseTimestampText],
  ['matches', compileRegex],
]);

/**
 * Reports literal durations, timestamps and regular expressions that cannot be parsed, and lists and maps whose elements differ in type
 * (dyn counts as a type). The arguments of format() may be of mixed types.
 */
export function validateLiterals({ expr, types }: CheckedExpr): Issue[] {
  const issues: Issue[] = [];
  visit(expr, types, false, issues);
  return issues;
}

type Types = CheckedExpr['types'];

function visit(expr: Expr, types: Types, mayBeMixed: boolean, issues: Issue[]): void {
  if (!mayBeMixed && expr.kind === 'list') {
    sameTypes(
      expr.elements.map((element, index) => ({ element, isOptional: expr.optional.has(index) })),
      types,
      issues,
    );
  }
  if (!mayBeMixed && expr.kind === 'map') {
    sameTypes(
      expr.entries.map(({ key }) => ({ element: key, isOptional: false })),
      types,
      issues,
    );
    sameTypes(
      expr.entries.map(({ value, optional }) => ({ element: value, isOptional: optional })),
      types,
      issues,
    );
  }
  if (expr.kind === 'call') {
    const read = readers.get(expr.name);
    const literal = expr.name === 'matches' && expr.target === undefined ? expr.args[1] : expr.args[0];
    if (read !== undefined && literal?.kind === 'const' && typeof literal.value === 'string' && !isRead(read, literal.value)) {
      issues.push({ offset: literal.offset, message: `invalid ${expr.name} argument` });
    }
  }
  const isFormat = expr.kind === 'call' && expr.name === 'format';
  for (const part of partsOf(expr)) visit(part, types, mayBeMixed || isFormat, issues);
}

/** Reports the first element whose type differs from that of the first element. */
function sameTypes(parts: readonly { readonly element: Expr; readonly isOptional: boolean }[], types: Types, issues: Issue[]): void {
  let first: CELType | undefined;
  for (const { element, isOptional } of parts) {
    const found = types.get(element.id) ?? dynType;
    const type = isOptional ? (found.params[0] ?? dynType) : found;
    first ??= type;
    if (equalTypes(first, type)) continue;
    issues.push({ offset: element.offset, message: `expected type '${formatType(first)}' but found '${formatType(type)}'` });
    return;
  }
}

function isRead(read: (text: string) => unknown, text: string): boolean {
  try {
    read(text);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
