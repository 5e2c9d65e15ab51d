import { rmSync } from 'node:fs';
import type { Logger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { createIPProgram } from '../../../node-agent/network/cni/ip-program.ts';
import { keepPodRoutes } from '../../../node-agent/network/cni/keep-pod-routes.ts';
import type { NodeBridge } from '../../../node-agent/linux/namespaces/node-bridge.ts';
import type { StopOrder } from '../../../node-agent/stop-order.ts';
import { type AgentFlags, agentLogPlace, type AgentTarget, prepareAgent, replaceRunningAgent } from '../agent/agent-process.ts';
import { type SupervisedAgent, superviseAgent } from '../agent/supervise-agent.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import { type LocalNode, localNodes, removeLocalNodes, startNamespaces } from './local-nodes.ts';
import type { Progress } from '../terminal/progress.ts';

interface LocalNodesOptions {
  readonly dataDir: DataDir;
  readonly count: number;
  /** Node names are `<prefix>-1` and so on. */
  readonly prefix: string;
  readonly flags: Omit<AgentFlags, 'nodeName' | 'nodeIp'>;
  readonly bridge: NodeBridge;
  readonly target: Omit<AgentTarget, 'addresses'>;
  readonly serviceCIDRs: readonly string[];
  /** A client of the control plane, as an administrator. */
  readonly client: Client;
  readonly progress: Progress;
  readonly logger: Logger;
}

export interface LocalNodesRun {
  readonly names: readonly string[];
  /** Ends the agents; with the pods also the nodes themselves and their network. */
  stop(order: StopOrder): Promise<void>;
}

/**
 * Several nodes on this machine, each in its own namespaces with its own container runtime. The machine reaches their Pods by routes, and
 * Services through the first node that is alive: the API server needs both.
 */
export async function runLocalNodes(options: LocalNodesOptions): Promise<LocalNodesRun> {
  const { dataDir, count, prefix, bridge, client, serviceCIDRs, logger } = options;
  const stopping = new AbortController();
  const nodes = localNodes(dataDir, prefix, count);
  const routeServices = async () => {
    for (const { namespaces, index } of nodes) {
      if ((await namespaces.findPID()) === undefined) continue;
      for (const cidr of serviceCIDRs) await bridge.route(cidr, index);
      return;
    }
  };
  const agents: SupervisedAgent[] = [];
  const stop = async (order: StopOrder) => {
    stopping.abort();
    await Promise.all(agents.map((agent) => agent.stop(order)));
    await routes;
    if (!order.pods) return;
    await createIPProgram().removePodRoutes();
    await removeLocalNodes(dataDir, { forget: false });
  };
  const clock = systemClock;
  const informers = createInformerFactory({ client, clock, random: systemRandom, logger });
  const routes = Promise.all([
    informers.run(stopping.signal),
    keepPodRoutes({ informers, mode: 'host-gw', ip: createIPProgram(), clock, logger }, stopping.signal),
  ]);
  try {
    agents.push(...(await Promise.all(nodes.map((node) => startLocalNode(node, options, routeServices)))));
    await routeServices();
  } catch (error) {
    await stop({ pods: true, graceSeconds: 0, criticalGraceSeconds: 0 });
    throw error;
  }
  return { names: nodes.map(({ name }) => name), stop };
}

async function startLocalNode(node: LocalNode, options: LocalNodesOptions, onDeath: () => Promise<void>): Promise<SupervisedAgent> {
  const { bridge, flags, target, progress } = options;
  const { dataDir, name, namespaces } = node;
  await replaceRunningAgent(dataDir);
  const pid = await startNamespaces(node, bridge);
  const nodeIp = bridge.nodeAddresses(node.index).join();
  const args = await prepareAgent(dataDir, { ...flags, nodeName: name, nodeIp }, { ...target, addresses: ['127.0.0.1'] });
  return superviseAgent(dataDir, args, {
    enter: await namespaces.enter(pid),
    onRestart: (why) => progress.fail(`the agent of ${name} ended (${why}) and is started again; see ${agentLogPlace(dataDir)}`),
    onProblem: (text) => progress.fail(`${name}: ${text}`),
    async isWorthRestarting() {
      if ((await namespaces.findPID()) !== undefined) return true;
      progress.fail(`node ${name} has died; it comes back with the next 'kubets up'`);
      await onDeath();
      return false;
    },
    async clear() {
      await namespaces.end();
      rmSync(dataDir.node, { recursive: true, force: true });
    },
  });
}
