/** A server's memory at one moment. */
export interface Sample {
  readonly atSeconds: number;
  readonly residentMiB: number;
  /** The JavaScript heap, with the bytes outside of it; undefined if the server does not report it. */
  readonly heldMiB: number | undefined;
}

interface Growth {
  /** The lowest value of each window: between two of them memory rises until it is collected, or history compacted. */
  readonly lows: readonly number[];
  /** How much the last window lies above the first on the line through all of them. */
  readonly growth: number;
  readonly grows: boolean;
}

/** Growth below either is noise. */
const tolerance = 0.1;
const toleranceMiB = 8;

/** Looks at equal windows of the samples after `warmupSeconds`. */
export function measureGrowth(
  samples: readonly Sample[],
  read: (sample: Sample) => number | undefined,
  { warmupSeconds, windows }: { readonly warmupSeconds: number; readonly windows: number },
): Growth {
  const last = samples.at(-1)?.atSeconds ?? 0;
  const width = (last - warmupSeconds) / windows;
  const lows: number[] = [];
  for (let window = 0; window < windows; window++) {
    const from = warmupSeconds + window * width;
    const values = samples
      .filter(({ atSeconds }) => atSeconds >= from && (atSeconds < from + width || window === windows - 1))
      .flatMap((sample) => read(sample) ?? []);
    if (values.length > 0) lows.push(Math.min(...values));
  }
  const growth = medianSlope(lows) * Math.max(0, lows.length - 1);
  const base = lows[0] ?? 0;
  return { lows, growth, grows: growth > Math.max(base * tolerance, toleranceMiB) };
}

/** The median of the slopes between all pairs, which a single outlier does not change. */
function medianSlope(values: readonly number[]): number {
  const slopes = values.flatMap((value, index) => values.slice(index + 1).map((later, step) => (later - value) / (step + 1)));
  return slopes.toSorted((a, b) => a - b)[Math.floor((slopes.length - 1) / 2)] ?? 0;
}
