import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectMatch, expectThat } from '../guest/expect.ts';
import { findPodCgroup, idle, podManifest } from './pods.ts';
import { swapLimitOf, turnSwapOff, turnSwapOn } from './swap-file.ts';

export const resources: CheckTopic = {
  topic: 'resources',
  checks: [
    { name: 'a Pod that requests 3/4 of the processors gets 90 % of its share beside a BestEffort hog', run: requestsHold },
    { name: 'kubepods is limited to what the node can allocate', run: podsAreLimited },
    { name: 'a resize in place changes the cgroups of Pod and container, without a restart', run: resizesInPlace },
    { name: 'a container gets no swap of a machine that has some (NoSwap, the default)', run: swapIsKeptAway },
  ],
};

const measuredSeconds = 30;

async function requestsHold({ cluster, machine, seconds }: CheckContext): Promise<string> {
  const processors = Number(await machine.succeed('nproc'));
  const requested = (processors * 3 * 1000) / 4;
  const busy = `${'while :; do :; done & '.repeat(processors)}wait`;
  await cluster.apply(podManifest({ name: 'hog', script: busy }));
  await cluster.apply(podManifest({ name: 'worker', script: busy, requests: { cpu: `${requested}m` } }));
  for (const pod of ['hog', 'worker']) await cluster.waitForField(`pod/${pod}`, '{.status.phase}', /^Running$/, 60);
  const usage = async (pod: string): Promise<string> => {
    const uid = await cluster.field(`pod/${pod}`, '{.metadata.uid}');
    return `${findPodCgroup(uid)}; sed -n 's/^usage_usec //p' $pod/cpu.stat`;
  };
  const read = `${await usage('worker')}; ${await usage('hog')}`;
  const script = `${read}; sleep ${measuredSeconds}; ${read}`;
  const numbers = (await machine.succeed(script, { timeoutSeconds: measuredSeconds + seconds(60) })).trim().split('\n').map(Number);
  const [workerBefore = 0, hogBefore = 0, workerAfter = 0, hogAfter = 0] = numbers;
  await cluster.remove('pod/hog', 'pod/worker');
  const worker = (workerAfter - workerBefore) / 1e6;
  const hog = (hogAfter - hogBefore) / 1e6;
  const share = worker / (worker + hog);
  // The kubelet gives the class of Burstable Pods the weight of their requests, and that of BestEffort Pods the lowest weight, 1.
  const weight = cpuWeight(requested);
  const wanted = 0.9 * (weight / (weight + 1));
  const text = `worker ${worker.toFixed(1)} s, hog ${hog.toFixed(1)} s in ${measuredSeconds} s: ${(share * 100).toFixed(1)} %`;
  expectThat(share >= wanted, `${text}; at least ${(wanted * 100).toFixed(1)} % are wanted`);
  return `${text}; at least ${(wanted * 100).toFixed(1)} %`;
}

/** `cpu.weight` for a request in thousandths of a processor (KEP-2254). */
export function cpuWeight(milliCPU: number): number {
  const shares = Math.max(2, Math.floor((milliCPU * 1024) / 1000));
  return Math.floor(1 + ((shares - 2) * 9999) / 262_142);
}

async function podsAreLimited({ cluster, machine }: CheckContext): Promise<string> {
  const cgroup = await machine.succeed('ls -d /sys/fs/cgroup/kubepods /sys/fs/cgroup/kubepods.slice 2>/dev/null || true');
  const [folder = ''] = cgroup.trim().split('\n');
  expectThat(folder !== '', 'there is no cgroup of all Pods');
  const read = async (file: string) => (await machine.succeed(`cat ${folder}/${file}`)).trim();
  const capacity = quantityValue(await cluster.field('node/node1', '{.status.capacity.memory}'));
  const memory = await read('memory.max');
  // Eviction thresholds are not subtracted: Pods may use that memory for the moment that an eviction takes.
  expectEqual('memory.max', memory, capacity);
  const pids = await read('pids.max');
  expectMatch('pids.max', pids, /^\d+$/);
  const processors = Number(await machine.succeed('nproc'));
  const weight = await read('cpu.weight');
  expectEqual('cpu.weight', weight, cpuWeight(processors * 1000));
  return `memory.max ${memory}, pids.max ${pids}, cpu.weight ${weight}`;
}

async function resizesInPlace({ cluster, machine, seconds }: CheckContext): Promise<string> {
  const small = { cpu: '200m', memory: '64Mi' };
  const large = { cpu: '300m', memory: '96Mi' };
  await cluster.apply(podManifest({ name: 'resized', script: idle, requests: small, limits: small }));
  await cluster.waitForField('pod/resized', '{.status.phase}', /^Running$/, 30);
  const patch = JSON.stringify({ spec: { containers: [{ name: 'main', resources: { requests: large, limits: large } }] } });
  await cluster.run('patch', 'pod', 'resized', '--subresource', 'resize', '-p', patch);
  await cluster.waitForField('pod/resized', '{.status.containerStatuses[0].resources.limits.memory}', /^96Mi$/, 30);
  const uid = await cluster.field('pod/resized', '{.metadata.uid}');
  const script = `${findPodCgroup(uid)}; cat $pod/memory.max $pod/cpu.max; for c in $(find $pod -mindepth 1 -maxdepth 1 -type d); do cat $c/memory.max $c/cpu.max; done`;
  const found = await machine.succeed(script, { timeoutSeconds: seconds(20) });
  expectMatch('the cgroups', found, /^100663296\n30000 100000\n/);
  expectMatch('the cgroups', found.slice(found.indexOf('\n') + 1), /^100663296\n30000 100000\n/m);
  const restarts = await cluster.field('pod/resized', '{.status.containerStatuses[0].restartCount}');
  expectEqual('the number of restarts', restarts, 0);
  await cluster.remove('pod/resized');
  return 'memory.max 100663296, cpu.max 30000 100000, 0 restarts';
}

async function swapIsKeptAway(context: CheckContext): Promise<string> {
  const { cluster, machine } = context;
  await turnSwapOn(machine);
  try {
    await cluster.apply(podManifest({ name: 'without-swap', script: idle, requests: { memory: '64Mi' }, limits: { memory: '128Mi' } }));
    expectEqual('the swap of a Burstable container', await swapLimitOf(context, 'without-swap'), 0);
    return 'memory.swap.max 0';
  } finally {
    await cluster.remove('pod/without-swap');
    await turnSwapOff(machine);
  }
}
