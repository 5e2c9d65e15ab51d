/** Throws if the found value differs from the expected one. */
export function expectEqual(what: string, found: string | number | undefined, wanted: string | number): void {
  if (String(found).trim() !== String(wanted)) throw new Error(`${what} is ${String(found).trim()}, and must be ${wanted}`);
}

export function expectMatch(what: string, found: string, wanted: RegExp): void {
  if (!wanted.test(found)) throw new Error(`${what} does not match ${wanted}: ${found.trim()}`);
}

export function expectThat(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}
