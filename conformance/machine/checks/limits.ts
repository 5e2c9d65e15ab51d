import { waitFor } from '../../framework/wait-for.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectMatch, expectThat } from '../guest/expect.ts';
import { findPodCgroup, idle, podManifest } from './pods.ts';
import { restartUp } from './restart-up.ts';
import { proportionalSwap, swapLimitOf, turnSwapOff, turnSwapOn } from './swap-file.ts';

const podMaxPIDs = 64;
/** Memory, disk and inodes that must be free, or Pods are evicted. */
const evictionThresholds = { memoryMiB: 800, diskGiB: 5, inodes: 20_000 };

export const limits: CheckTopic = {
  topic: 'limits',
  prepare: { name: 'Ctrl-C ends all Pods; the next start takes limits of processes, swap and evictions', run: startWithLimits },
  checks: [
    { name: 'a Pod has no more processes than pod-max-pids', run: processesAreLimited },
    { name: 'LimitedSwap gives a Burstable container swap in proportion to its request, others none', run: swapIsLimited },
    { name: 'a Pod that fills the memory is evicted, and MemoryPressure comes and goes', run: evictsForMemory },
    { name: 'a Pod that fills the disk is evicted, and DiskPressure comes and goes', run: evictsForDisk },
    { name: 'a Pod that fills the inodes is evicted', run: evictsForInodes },
  ],
};

async function startWithLimits(context: CheckContext): Promise<string> {
  const { machine } = context;
  const freeInodes = Number(await machine.succeed('df --output=iavail / | tail -n 1'));
  const hard = [
    `memory.available<${evictionThresholds.memoryMiB}Mi`,
    `nodefs.available<${evictionThresholds.diskGiB}Gi`,
    `nodefs.inodesFree<${freeInodes - evictionThresholds.inodes}`,
  ].join(',');
  const settings = {
    'pod-max-pids': String(podMaxPIDs),
    'fail-swap-on': 'false',
    'memory-swap-behavior': 'LimitedSwap',
    'eviction-hard': hard,
    'eviction-pressure-transition-period': '10s',
  };
  await turnSwapOn(machine);
  return await restartUp(context, settings);
}

async function processesAreLimited({ cluster, machine, seconds }: CheckContext): Promise<string> {
  // A shell that cannot fork ends; the processes that it has started stay until the container is started again.
  const script = 'for i in $(seq 200); do sleep 3600 & done; wait';
  await cluster.apply(podManifest({ name: 'forks', script }));
  await cluster.waitForField('pod/forks', '{.status.containerStatuses[0].containerID}', /./, 60);
  const uid = await cluster.field('pod/forks', '{.metadata.uid}');
  const read = `${findPodCgroup(uid)}; cat $pod/pids.max $pod/pids.peak; sed -n 's/^max //p' $pod/pids.events`;
  const found = await waitFor(
    'a fork to be refused',
    async () => {
      const numbers = (await machine.succeed(read)).trim().split('\n').map(Number);
      return Number(numbers[2]) > 0 && numbers;
    },
    { withinSeconds: seconds(60), everyMs: 1000 },
  );
  const [most, peak, refused] = found;
  expectEqual('pids.max of the Pod', most, podMaxPIDs);
  expectThat(Number(peak) <= podMaxPIDs, `the Pod had ${peak} processes`);
  await cluster.remove('pod/forks');
  return `pids.max ${most}, ${peak} processes at most, ${refused} forks refused`;
}

const swapRequestMiB = 256;
/** Limits are whole pages. */
const pageBytes = 4096;

async function swapIsLimited(context: CheckContext): Promise<string> {
  const { cluster, machine } = context;
  try {
    await cluster.apply(podManifest({ name: 'swap-burstable', script: idle, requests: { memory: `${swapRequestMiB}Mi` } }));
    await cluster.apply(podManifest({ name: 'swap-guaranteed', script: idle, limits: { cpu: '50m', memory: '64Mi' } }));
    await cluster.apply(podManifest({ name: 'swap-besteffort', script: idle }));
    const wanted = await proportionalSwap(context, swapRequestMiB);
    const burstable = await swapLimitOf(context, 'swap-burstable');
    expectThat(Math.abs(burstable - wanted) <= 2 * pageBytes, `the Burstable container may swap ${burstable}, and must be given ${wanted}`);
    expectEqual('the swap of the Guaranteed container', await swapLimitOf(context, 'swap-guaranteed'), 0);
    expectEqual('the swap of the BestEffort container', await swapLimitOf(context, 'swap-besteffort'), 0);
    return `Burstable ${burstable}, Guaranteed 0, BestEffort 0`;
  } finally {
    await cluster.remove('pod/swap-burstable', 'pod/swap-guaranteed', 'pod/swap-besteffort');
    await turnSwapOff(machine);
  }
}

type Condition = 'MemoryPressure' | 'DiskPressure';

/** Starts a Pod that takes too much of something, and waits until it has been evicted and the condition of the node is gone. */
async function expectEviction(context: CheckContext, pod: object, name: string, condition: Condition): Promise<string> {
  const { cluster, seconds } = context;
  await cluster.apply(pod);
  await cluster.waitForField(`pod/${name}`, '{.status.reason}', /^Evicted$/, 120);
  const message = await cluster.field(`pod/${name}`, '{.status.message}');
  expectMatch('the message', message, /^The node was low on resource: /);
  const status = () => cluster.field('node/node1', `{.status.conditions[?(@.type=="${condition}")].status}`);
  await waitFor(`${condition} to be gone`, async () => (await status()) === 'False', { withinSeconds: seconds(120), everyMs: 1000 });
  const others = await cluster.run('get', 'pods', '-n', 'guestbook', '--field-selector', 'status.phase=Failed', '-o', 'name');
  expectEqual('the other Pods that were evicted', others.trim(), '');
  await cluster.remove(`pod/${name}`);
  await waitFor(
    'the taint of the node to be gone',
    async () => !(await cluster.field('node/node1', '{.spec.taints[*].key}')).includes('pressure'),
    { withinSeconds: seconds(60), everyMs: 1000 },
  );
  return message;
}

async function evictsForMemory(context: CheckContext): Promise<string> {
  const available = Number(await context.machine.succeed("sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) / 1024;
  const taken = Math.floor(available - evictionThresholds.memoryMiB + 200);
  // Two volumes, since one may be limited to a part of the memory.
  const volumes = ['first', 'second'];
  const write = volumes.map((name) => `dd if=/dev/zero of=/${name}/file bs=1M count=${Math.ceil(taken / volumes.length)}`).join('; ');
  const pod = podManifest({
    name: 'memory-hog',
    script: `${write}; ${idle}`,
    restartPolicy: 'Never',
    container: { volumeMounts: volumes.map((name) => ({ name, mountPath: `/${name}` })) },
    spec: { volumes: volumes.map((name) => ({ name, emptyDir: { medium: 'Memory' } })) },
  });
  return await expectEviction(context, pod, 'memory-hog', 'MemoryPressure');
}

/** A Pod that is unfit only for the data in its volume on the disk. */
function podOnDisk(name: string, script: string): object {
  return podManifest({
    name,
    script: `${script}; ${idle}`,
    restartPolicy: 'Never',
    container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
    spec: { volumes: [{ name: 'data', emptyDir: {} }] },
  });
}

async function evictsForDisk(context: CheckContext): Promise<string> {
  const free = Number(await context.machine.succeed('df --output=avail -BM / | tail -n 1 | tr -d M'));
  const taken = free - evictionThresholds.diskGiB * 1024 + 1024;
  return await expectEviction(context, podOnDisk('disk-hog', `fallocate -l ${taken}M /data/file`), 'disk-hog', 'DiskPressure');
}

async function evictsForInodes(context: CheckContext): Promise<string> {
  const files = evictionThresholds.inodes + 5000;
  const script = `i=0; while [ $i -lt ${files} ]; do : >/data/$i; i=$((i + 1)); done`;
  return await expectEviction(context, podOnDisk('inode-hog', script), 'inode-hog', 'DiskPressure');
}
