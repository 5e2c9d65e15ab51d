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

/** The most steps of one match; a step runs one instruction of the pattern's program for one character. About a second. */
const maxSteps = 30_000_000;

/** Whether the pattern is found anywhere in the text. Throws Failure, also where that would take too many steps. */
export function matches(text: string, pattern: string): boolean {
  const regex = compileRegex(pattern);
  if (text.length * regex.programSize() > maxSteps) throw new Failure('the text is too long to be matched against the pattern');
  return regex.matcher(text).find();
}
