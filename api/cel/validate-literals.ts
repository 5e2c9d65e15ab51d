import { type Expr, partsOf } from './ast.ts';
import type { Issue } from './issues.ts';
import { compileRegex } from './regex.ts';
import { parseDurationText, parseTimestampText } from './time-values.ts';
import { Failure } from './values.ts';

const readers: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  ['duration', parseDurationText],
  ['timestamp', parseTimestampText],
  ['matches', compileRegex],
]);

/** Durations, timestamps and regular expressions written in the expression that cannot be read. */
export function validateLiterals(expr: Expr): Issue[] {
  const issues: Issue[] = [];
  visit(expr, issues);
  return issues;
}

function visit(expr: Expr, issues: Issue[]): void {
  if (expr.kind === 'call') {
    const read = readers.get(expr.name);
    const literal = expr.name === 'matches' && expr.target === undefined ? expr.args[1] : expr.args[0];
    if (read !== undefined && literal?.kind === 'const' && typeof literal.value === 'string' && !isRead(read, literal.value)) {
      issues.push({ offset: literal.offset, message: `invalid ${expr.name} argument` });
    }
  }
  for (const part of partsOf(expr)) visit(part, issues);
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
