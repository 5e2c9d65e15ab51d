import { setTimeout as delay } from 'node:timers/promises';
import { randomInt, type Random } from '../../api/base/random.ts';
import type { FaultCluster, FaultNode } from './fault-cluster.ts';

export const faultKinds = [
  'agent',
  'agent-and-supervisor',
  'containerd',
  'containerd-and-agent',
  'api-server',
  'node',
  'node-for-long',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A kill that is planned from the seed. */
interface Fault {
  readonly kind: FaultKind;
  /** The index of the node, if the fault concerns one. */
  readonly node: number;
  /** From the beginning of the load. */
  readonly afterMs: number;
  /** The milliseconds until it is started again, if it does not start by itself. */
  readonly downMs: number;
}

export function planFaults(random: Random, kinds: readonly FaultKind[], nodeCount: number): Fault[] {
  return Array.from({ length: 1 + randomInt(random, 2) }, () => {
    const kind = kinds[randomInt(random, kinds.length)] ?? 'agent';
    return {
      kind,
      node: randomInt(random, nodeCount),
      afterMs: Math.round(200 + 4000 * random.next()),
      downMs: kind === 'node-for-long' ? 26_000 : Math.round(3000 * random.next() ** 2),
    };
  });
}

export function describeFault({ kind, node, afterMs, downMs }: Fault): string {
  return `${kind} ${node} after ${afterMs} ms for ${downMs} ms`;
}

/** Whether containers on the node have a reason to be restarted. */
export function restartsContainers({ kind }: Fault): boolean {
  return kind === 'node' || kind === 'node-for-long';
}

const patterns: Readonly<Record<string, string>> = {
  agent: 'node-agent/main.ts',
  'agent-and-supervisor': 'kubets.mjs agent|node-agent/main.ts',
  containerd: '^containerd ',
  'containerd-and-agent': '^containerd |node-agent/main.ts',
};

/** Kills with SIGKILL, and starts again parts that do not start by themselves. */
export async function inject(cluster: FaultCluster, fault: Fault): Promise<void> {
  await delay(fault.afterMs);
  if (fault.kind === 'api-server') {
    await cluster.controlPlane.kill('SIGKILL');
    await delay(fault.downMs);
    return await cluster.controlPlane.start();
  }
  const node = cluster.nodes[fault.node];
  if (node === undefined) throw new Error(`there is no node ${fault.node}`);
  if (restartsContainers(fault)) return await killNode(node, fault.downMs);
  const { code, stderr } = await node.machine.run('pkill', ['-KILL', '-f', patterns[fault.kind] ?? '']);
  if (code > 1) throw new Error(`pkill: ${stderr}`);
  if (fault.kind !== 'agent-and-supervisor') return;
  await delay(fault.downMs);
  await node.startAgent();
}

async function killNode({ machine, startAgent }: FaultNode, downMs: number): Promise<void> {
  await machine.kill();
  await delay(downMs);
  await machine.boot();
  await startAgent();
}
