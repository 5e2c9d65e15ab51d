/**
 * How often a property is tried: `few` in the ordinary tests, `many` with `npm run fuzz`. KUBETS_FUZZ says so ('1'), or by
 * which factor of `many` it is to be tried ('0.1', '10').
 */
export function fuzzRuns(few: number, many: number): number {
  const factor = Number(process.env['KUBETS_FUZZ'] ?? 0);
  return factor > 0 ? Math.max(few, Math.round(many * factor)) : few;
}

/** From which all random numbers follow: KUBETS_FUZZ_SEED, or always the same. */
export function fuzzSeed(): number {
  return Number(process.env['KUBETS_FUZZ_SEED'] ?? 20_260_401);
}
