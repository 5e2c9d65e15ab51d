import { compileRegex, matches } from '../../cel/run/regex.ts';
import { Failure } from '../../cel/types/values.ts';

/** The message for a text that does not match a pattern in RE2 syntax, or that is too long for it; undefined where it does. */
export function findPatternProblem(text: string, pattern: string): string | undefined {
  try {
    compileRegex(pattern);
  } catch (error) {
    if (error instanceof Failure) return `should match '${pattern}, but pattern is invalid: ${error.message}'`;
    throw error;
  }
  try {
    return matches(text, pattern) ? undefined : `should match '${pattern}'`;
  } catch (error) {
    if (error instanceof Failure) return `is too long to be matched against '${pattern}'`;
    throw error;
  }
}
