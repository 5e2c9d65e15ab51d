import { parseArgs } from 'node:util';
import { startFaultCluster } from './fault-cluster.ts';
import { type FaultKind, faultKinds } from './fault-kinds.ts';
import { readBaseline, runRound } from './run-round.ts';

const usage = `Kills parts of a cluster of two nodes while Pods are created and deleted, round by round, and checks what is left.
  npm run faults -- [--rounds N] [--seed FIRST] [--kinds ${faultKinds.join(',')}]
Each round has the seed of the one before plus one: --seed S --rounds 1 repeats one.`;

/** Lines of an agent's log that are shown where a round has failed. */
const logLines = 40;
const logWidth = 500;

async function main(): Promise<number> {
  const options = { rounds: { type: 'string' }, seed: { type: 'string' }, kinds: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { values } = parseArgs({ options });
  const kinds = values.kinds === undefined ? faultKinds : faultKinds.filter((kind) => values.kinds?.split(',').includes(kind));
  if (values.help || kinds.length === 0) {
    console.error(usage);
    return values.help ? 0 : 2;
  }
  const first = Number(values.seed ?? Date.now() % 1_000_000);
  return await runRounds(first, Number(values.rounds ?? 10), kinds);
}

async function runRounds(first: number, rounds: number, kinds: readonly FaultKind[]): Promise<number> {
  let cluster = await startFaultCluster();
  let failed = 0;
  let passed = 0;
  let isStopping = false;
  // The round that is under way is finished: nothing may be left on the machine.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (isStopping = true));
  try {
    let baseline = await readBaseline(cluster);
    for (let seed = first; seed < first + rounds && !isStopping; seed++) {
      const startedMs = performance.now();
      const seconds = () => ((performance.now() - startedMs) / 1000).toFixed(0);
      try {
        console.log(`✓ seed ${seed}: ${await runRound(cluster, seed, kinds, baseline)} (${seconds()} s)`);
        passed++;
      } catch (error) {
        failed++;
        console.log(`✗ seed ${seed}: ${error instanceof Error ? error.message : String(error)} (${seconds()} s)`);
        for (const { machine } of cluster.nodes) {
          const lines = machine.agentLog().trim().split('\n').slice(-logLines);
          console.log(`log of ${machine.name}:\n${lines.map((line) => line.slice(0, logWidth)).join('\n')}`);
        }
        // Leftovers would be found again in every round that follows.
        await cluster.stop().catch((stopError: unknown) => console.log(String(stopError)));
        cluster = await startFaultCluster();
        baseline = await readBaseline(cluster);
      }
    }
  } finally {
    await cluster.stop();
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
