import { quote } from '../base/quote.ts';
import { JSONParser } from './json-parser.ts';

/**
 * What is wrong with the fields of a JSON text, in the order of the text, as upstream's decoder meets it:
 * `unknown field "spec.foo"`, `duplicate field "spec.replicas"`. The text has been parsed before.
 */
export function orderProblems(text: string, maxDepth: number, repeated: readonly string[], unknown: readonly string[]): string[] {
  if (repeated.length === 0) return unknown.map(unknownField);
  if (unknown.length === 0) return repeated.map(repeatedField);
  const problems = new Set<string>();
  const isRepeatedKnown = new Set(repeated);
  const isUnknown = new Set(unknown);
  new JSONParser(text, maxDepth, false, (path, isRepeated) => {
    if (isUnknown.has(path)) problems.add(unknownField(path));
    if (isRepeated && isRepeatedKnown.has(path)) problems.add(repeatedField(path));
  }).parse();
  // whatever the text does not show by that path comes last
  for (const problem of [...repeated.map(repeatedField), ...unknown.map(unknownField)]) problems.add(problem);
  return [...problems];
}

const unknownField = (path: string) => `unknown field ${quote(path)}`;
const repeatedField = (path: string) => `duplicate field ${quote(path)}`;
