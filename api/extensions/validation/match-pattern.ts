import { matches } from '../../cel/run/regex.ts';
import { Failure } from '../../cel/types/values.ts';

/** The message for a text that does not match a pattern in RE2 syntax; undefined where it does. */
export function findPatternProblem(text: string, pattern: string): string | undefined {
  try {
    return matches(text, pattern) ? undefined : `should match '${pattern}'`;
  } catch (error) {
    if (error instanceof Failure) return `should match '${pattern}, but pattern is invalid: ${error.message}'`;
    throw error;
  }
}
