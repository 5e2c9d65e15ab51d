import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import type { Machine } from '../emulator/machine.ts';
import type { CheckContext } from './check.ts';
import { findPodCgroup } from './pods.ts';

const file = '/var/swap';
const sizeMiB = 512;

/** Gives the machine swap. */
export async function turnSwapOn(machine: Machine): Promise<void> {
  await machine.succeed(`fallocate -l ${sizeMiB}M ${file} && chmod 600 ${file} && mkswap -q ${file} && swapon ${file}`);
}

/** Takes the swap away again, where there is any. */
export async function turnSwapOff(machine: Machine): Promise<void> {
  await machine.succeed(`test ! -e ${file} || { swapoff ${file}; rm -f ${file}; }`);
}

/** The most that the container `main` of a Pod, which is running, may swap, in bytes. */
export async function swapLimitOf({ cluster, machine }: CheckContext, pod: string): Promise<number> {
  await cluster.waitForField(`pod/${pod}`, '{.status.phase}', /^Running$/, 60);
  const uid = await cluster.field(`pod/${pod}`, '{.metadata.uid}');
  const id = (await cluster.field(`pod/${pod}`, '{.status.containerStatuses[0].containerID}')).replace(/^.*:\/\//, '');
  // The sandbox has a cgroup beside the container's, and may have swap: nothing in it grows.
  const container = `$(find $pod -mindepth 1 -maxdepth 1 -type d -name '*${id}*')`;
  const text = await machine.succeed(`${findPodCgroup(uid)}; cat $pod/memory.swap.max ${container}/memory.swap.max`);
  const limits = text.trim().split('\n');
  if (limits.length !== 2) throw new Error(`the swap of ${pod} is not told: ${text}`);
  return Math.min(...limits.map((value) => (value === 'max' ? Number.POSITIVE_INFINITY : Number(value))));
}

/** The swap in proportion to a request of memory (KEP-2400), in bytes. */
export async function proportionalSwap({ cluster, machine }: CheckContext, requestMiB: number): Promise<number> {
  const capacity = quantityValue(await cluster.field('node/node1', '{.status.capacity.memory}'));
  const total = Number(await machine.succeed("sed -n 's/^SwapTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024;
  return Math.floor(((requestMiB * 1024 * 1024) / capacity) * total);
}
