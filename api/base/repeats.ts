/** The indexes of the elements that equal an earlier element, found in one pass. */
export function repeatedIndexes(values: readonly (string | number | bigint | boolean)[]): ReadonlySet<number> {
  const seen = new Set<unknown>();
  const repeated = new Set<number>();
  for (let index = 0; index < values.length; index++) {
    if (seen.has(values[index])) repeated.add(index);
    else seen.add(values[index]);
  }
  return repeated;
}
