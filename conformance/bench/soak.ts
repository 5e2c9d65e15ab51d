import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { memoryOf } from './processes.ts';
import { namespace } from './objects.ts';
import { openSession, type Session } from './session.ts';
import { measureGrowth, type Sample } from './soak/growth.ts';
import { startSoakLoad } from './soak/load.ts';
import { parseRunningTarget, parseStartedTarget, type Target } from './targets.ts';

/**
 * A mixed load for many minutes on a cluster with embedded storage (or any other), to see whether its memory grows: writes
 * of all kinds, lists in all formats, watches and informers that come and go. Fails when, after a third of the time to
 * warm up, the lows of memory rise from window to window.
 *
 *   node conformance/bench/soak.ts [--minutes 30] [--rate 150] [--seed N] [--results FILE]
 *                                  [--start COMMAND | --target name=KUBECONFIG,pid=N]
 */
const controlPlane = 'kubets=exec "$NODE" --max-semi-space-size=16 "$KUBETS" up --no-node --data-dir "$DIR" --port "$PORT"';
const sampleEveryMs = 5000;
const windows = 4;
const mebibyte = 1024 * 1024;

async function readSample({ cluster, pid }: Session, startedMs: number): Promise<Sample> {
  const { text } = await cluster.request('GET', '/metrics', { accept: 'text/plain' });
  const metric = (name: string) => new RegExp(`^${name} ([0-9.e+]+)$`, 'm').exec(text)?.[1];
  const [heap, external] = [metric('nodejs_heap_size_used_bytes'), metric('nodejs_external_memory_bytes')];
  return {
    atSeconds: (performance.now() - startedMs) / 1000,
    residentMiB: pid === undefined ? Number.NaN : memoryOf(pid).residentMiB,
    heldMiB: heap === undefined || external === undefined ? undefined : (Number(heap) + Number(external)) / mebibyte,
  };
}

const format = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '-' : value.toFixed(0)).padStart(6);

async function soak(target: Target, minutes: number, rate: number, seed: number): Promise<{ samples: Sample[]; problems: string[] }> {
  const session = await openSession(target);
  try {
    const namespaces = [1, 2, 3].map((number) => `${namespace}-soak-${number}`);
    for (const name of namespaces) await session.ensureNamespace(name);
    const random = createSeededRandom(seed);
    const load = startSoakLoad({ cluster: session.cluster, namespaces, random: () => random.next(), rate });
    const startedMs = performance.now();
    const samples: Sample[] = [];
    const seconds = minutes * 60;
    let reportedMinute = -1;
    console.log('minute  resident  held by JavaScript (MiB)');
    while (performance.now() - startedMs < seconds * 1000) {
      await delay(sampleEveryMs);
      const sample = await readSample(session, startedMs);
      samples.push(sample);
      const minute = Math.floor(sample.atSeconds / 60);
      if (minute === reportedMinute) continue;
      reportedMinute = minute;
      console.log(`${String(minute).padStart(6)}  ${format(sample.residentMiB)}  ${format(sample.heldMiB)}`);
    }
    await load.stop();
    console.log(
      [...load.counts()]
        .toSorted()
        .map(([what, count]) => `  ${what}: ${count}`)
        .join('\n'),
    );
    const problems = [...load.errors()].map(([what, count]) => `${count}× ${what}`);
    const options = { warmupSeconds: seconds / 3, windows };
    for (const [what, read] of [
      ['resident memory', (sample: Sample) => sample.residentMiB],
      ['memory held by JavaScript', (sample: Sample) => sample.heldMiB],
    ] as const) {
      const { lows, growth, grows } = measureGrowth(samples, read, options);
      console.log(`${what}: lows ${lows.map((low) => low.toFixed(0)).join(', ')} MiB; growth ${growth.toFixed(1)} MiB`);
      if (grows) problems.push(`${what} grows`);
    }
    return { samples, problems };
  } finally {
    await session.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '150' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      results: { type: 'string' },
      start: { type: 'string', default: controlPlane },
      target: { type: 'string' },
    },
  });
  const target = values.target === undefined ? parseStartedTarget(values.start) : parseRunningTarget(values.target);
  console.log(`seed ${values.seed}`);
  const { samples, problems } = await soak(target, Number(values.minutes), Number(values.rate), Number(values.seed));
  if (values.results !== undefined) writeFileSync(values.results, `${JSON.stringify(samples)}\n`);
  for (const problem of problems) console.error(`soak: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

await main();
