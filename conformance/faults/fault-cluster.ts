import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { isNodeReady } from '../../api/semantics/nodes/node-conditions.ts';
import { routeProtocol } from '../../node-agent/network/cni/pod-routes.ts';
import { createNodeBridge } from '../../node-agent/linux/namespaces/node-bridge.ts';
import { type BareMachine, createBareMachine } from '../clients/support/bare-machine.ts';
import type { BackgroundProgram } from '../clients/support/background-program.ts';
import { kubets, nodeProgram, startCluster, type TestCluster } from '../clients/support/cluster.ts';
import type { Cluster } from '../framework/connect-cluster.ts';
import { runSuccessfully } from '../framework/run-program.ts';
import { waitFor } from '../framework/wait-for.ts';
import { buildImages } from '../images/build.ts';

/** A machine that has joined, and the `kubets agent` on it. */
export interface FaultNode {
  readonly machine: BareMachine;
  /** Starts `kubets agent` again, without a token, after it was killed. */
  startAgent(): Promise<void>;
}

/** A control plane on this machine and two nodes beside it, each of which can be killed in part or as a whole. */
export interface FaultCluster {
  readonly controlPlane: TestCluster;
  readonly nodes: readonly FaultNode[];
  /** A separate client, which must be closed. */
  connect(): Promise<Cluster>;
  /** Waits until all nodes are ready. */
  untilReady(withinSeconds: number): Promise<void>;
  stop(): Promise<void>;
}

const cidr = '172.29.241.0/24';
const bridgeName = 'kubets-faults';

export async function startFaultCluster(): Promise<FaultCluster> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-faults-'));
  const images = path.join(directory, 'images');
  mkdirSync(images);
  await buildImages(images);
  const bridge = createNodeBridge({ name: bridgeName, cidrs: [cidr] });
  await bridge.ensure();
  const extraFlags = ['--advertise-address', bridge.address, '--node-monitor-grace-period', '16s'];
  const controlPlane = await startCluster({ node: false, extraFlags });
  const machines = ['fault-a', 'fault-b'].map((name, index) =>
    createBareMachine({ name, directory: path.join(directory, name), bridge, index, images }),
  );
  const agents = new Map<BareMachine, BackgroundProgram>();
  const stop = async () => {
    for (const machine of machines) await machine.remove();
    for (const agent of agents.values()) await agent.stop();
    await bridge.remove();
    await controlPlane.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const cluster: FaultCluster = {
    controlPlane,
    nodes: machines.map((machine) => ({
      machine,
      async startAgent() {
        await agents.get(machine)?.stop();
        agents.set(machine, await machine.startAgent());
      },
    })),
    connect: () => controlPlane.connect(),
    async untilReady(withinSeconds) {
      const { client, close } = await controlPlane.connect();
      try {
        await waitFor(
          'all nodes to be ready',
          async () =>
            (await client(nodes).list()).items.filter((node) => isNodeReady(node) && !node.spec?.taints?.length).length === machines.length,
          { withinSeconds },
        );
      } finally {
        close();
      }
    },
    stop,
  };
  try {
    const create = [kubets, 'token', 'create', '--print-join-command', '--data-dir', controlPlane.dataDir];
    const join = (await runSuccessfully(nodeProgram, create)).trim().split(' ').slice(2);
    for (const machine of machines) {
      await machine.boot();
      agents.set(machine, await machine.startAgent(...join));
    }
    await cluster.untilReady(60);
    const hasRoutes = async () => {
      const routes = machines.map((machine) => machine.run('ip', ['route', 'show', 'proto', routeProtocol]));
      return (await Promise.all(routes)).every(({ stdout }) => stdout.trim() !== '');
    };
    await waitFor('the routes between the machines', hasRoutes, { withinSeconds: 20 });
  } catch (error) {
    await stop().catch((stopError: unknown) => console.error(stopError));
    throw error;
  }
  return cluster;
}
