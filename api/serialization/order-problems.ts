import { quote } from '../base/quote.ts';
import { JSONParser } from './json-parser.ts';

/**
 * The errors in the fields of a JSON text, in the order of the text, as upstream's decoder meets them: `unknown field
 * "spec.foo"`, `duplicate field "spec.replicas"`. The text has been parsed before.
 */
export function orderProblems(text: string, maxDepth: number, repeated: readonly string[], unknown: readonly string[]): string[] {
  if (repeated.length === 0) return unknown.map(unknownField);
  if (unknown.length === 0) return repeated.map(repeatedField);
  const problems = new Set<string>();
  const isRepeatedKnown = new Set(repeated);
  const isUnknown = new Set(unknown);
  const lastWords = new Set([...repeated, ...unknown].map(lastWord));
  new JSONParser(text, maxDepth, false, (key, isRepeated, pathOf) => {
    if (!lastWords.has(lastWord(key))) return;
    const path = pathOf(key);
    if (isUnknown.has(path)) problems.add(unknownField(path));
    if (isRepeated && isRepeatedKnown.has(path)) problems.add(repeatedField(path));
  }).parse();
  // problems whose path is not found in the text come last
  for (const problem of [...repeated.map(repeatedField), ...unknown.map(unknownField)]) problems.add(problem);
  return [...problems];
}

/** The common part of a path and the key at its end. */
const lastWord = (path: string) => path.slice(path.lastIndexOf('.') + 1);
const unknownField = (path: string) => `unknown field ${quote(path)}`;
const repeatedField = (path: string) => `duplicate field ${quote(path)}`;
