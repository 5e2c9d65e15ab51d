import { RE2JS } from 're2js';
import { Failure } from '../types/values.ts';

/** Patterns seen before: compiling costs far more than matching. */
const compiled = new Map<string, RE2JS | Failure>();
const maxCompiled = 2000;

/** The pattern in RE2 syntax, which is matched in linear time. Throws Failure. */
export function compileRegex(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known instanceof Failure) throw known;
  if (known !== undefined) return known;
  if (compiled.size >= maxCompiled) compiled.clear();
  try {
    const made = RE2JS.compile(pattern);
    compiled.set(pattern, made);
    return made;
  } catch (error) {
    const failure = new Failure(error instanceof Error ? error.message : String(error));
    compiled.set(pattern, failure);
    throw failure;
  }
}

/** Whether the pattern is found anywhere in the text. */
export function matches(text: string, pattern: string): boolean {
  return compileRegex(pattern).matcher(text).find();
}
