import { nodeProgram } from '../../clients/support/cluster.ts';
import { runSuccessfully } from '../../framework/run-program.ts';
import { checkoutFolder } from '../image/ensure-image.ts';
import type { Machine } from './machine.ts';

const startNode = ['-e', ''];
const tries = 3;

/** How many times as long as here a program takes on the machine to start, the best of a few tries on both sides. */
export async function measureSlowness(machine: Machine): Promise<number> {
  const here = await fastestMs(() => runSuccessfully(nodeProgram, startNode));
  const there = await fastestMs(() => machine.succeed(`${checkoutFolder}/node_modules/.bin/node ${startNode[0]} ''`));
  return Math.max(1, there / here);
}

async function fastestMs(work: () => Promise<unknown>): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < tries; turn++) {
    const startedMs = performance.now();
    await work();
    fastest = Math.min(fastest, performance.now() - startedMs);
  }
  return fastest;
}

/**
 * The factor for time-outs. They are ample for a machine of the usual speed, so a part of the slowness is in them; and a check
 * that waits in vain shall end.
 */
export function patienceFor(slowness: number): number {
  return Math.min(6, Math.max(1, slowness / 4));
}
