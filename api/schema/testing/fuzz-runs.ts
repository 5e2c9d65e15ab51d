import { systemClock } from '../../base/system-clock.ts';

/**
 * The number of runs of a property: `few` in the ordinary tests, `many` with `npm run fuzz`, which sets KUBETS_FUZZ to '1' or to a factor
 * of `many` ('0.1', '10').
 */
export function fuzzRuns(few: number, many: number): number {
  const factor = Number(process.env['KUBETS_FUZZ'] ?? 0);
  return factor > 0 ? Math.max(few, Math.round(many * factor)) : few;
}

/** The seed of all random numbers: KUBETS_FUZZ_SEED, or always the same. */
export function fuzzSeed(): number {
  return Number(process.env['KUBETS_FUZZ_SEED'] ?? 20_260_401);
}

/**
 * The run numbers of a property, shared by several loops. With `npm run fuzz` it prints the progress every ten seconds and at the end, and
 * stops after KUBETS_FUZZ_SECONDS (600).
 */
export function* fuzzTurns(what: string, total: number, { nowMs, print } = surroundings): Generator<number, void> {
  const isFuzz = Number(process.env['KUBETS_FUZZ'] ?? 0) > 0;
  const [startMs, limitMs] = [nowMs(), Number(process.env['KUBETS_FUZZ_SECONDS'] ?? 600) * 1000];
  let toldMs = startMs;
  let done = 0;
  const tell = (ms: number) => print(`      ${what}: ${done} of ${total} in ${((ms - startMs) / 1000).toFixed(0)} s`);
  for (; done < total; done++) {
    yield done;
    if (!isFuzz) continue;
    const ms = nowMs();
    if (ms - startMs > limitMs) break;
    if (ms - toldMs < progressMs) continue;
    toldMs = ms;
    tell(ms);
  }
  if (isFuzz) tell(nowMs());
}

const progressMs = 10_000;
const surroundings = { nowMs: () => systemClock.monotonicMs(), print: (line: string): void => void process.stdout.write(`${line}\n`) };
