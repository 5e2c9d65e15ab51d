import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Client } from '../../api/client/client.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { createClient } from '../../api/client/create-client.ts';
import { withUser } from '../../api/client/with-user.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { machineAddress } from '../control-plane/addresses.ts';
import { createLogger } from '../control-plane/logger.ts';
import type { StopOrder } from '../../node-agent/stop-order.ts';
import type { ControlPlane } from '../control-plane/start-control-plane.ts';
import {
  type AgentFlags,
  type AgentTarget,
  agentLogPlace,
  defaultNodeName,
  prepareAgent,
  replaceRunningAgent,
} from './agent/agent-process.ts';
import { startFromFlags } from './startup/start-from-flags.ts';
import { type DataDir, openDataDir } from './data-dir/data-dir.ts';
import { type EarlierNodes, earlierNodes, isReadySince } from './agent/heard-from.ts';
import { addControlPlaneOptions, type ControlPlaneFlags } from './flags/options.ts';
import { parsePort } from './flags/parse-flags.ts';
import { localNodeBridge, removeLocalNodes } from './local-nodes/local-nodes.ts';
import { type LocalNodesRun, runLocalNodes } from './local-nodes/run-local-nodes.ts';
import { ignorePreflightErrorsOption, requireSoundMachine } from './startup/preflight.ts';
import { createProgress, type Progress } from './terminal/progress.ts';
import { requireFreePort } from './startup/require-free-port.ts';
import { addStopOptions, beginLife, type CommandLife } from './running/running-command.ts';
import type { StopFlags } from './running/stop-signals.ts';
import { type SupervisedAgent, superviseAgent } from './agent/supervise-agent.ts';

type UpFlags = ControlPlaneFlags &
  AgentFlags &
  StopFlags & {
    readonly node: boolean;
    readonly nodes?: number;
    readonly nodesCidr: string;
    readonly ignorePreflightErrors: readonly string[];
  };

const examples = `
Examples:
  kubets up                                       a cluster of one machine, as root
  kubets up --nodes 3                             three nodes on this machine, each in namespaces of its own
  kubets up --no-node --port 7443 --data-dir ./k  the control plane alone, as anyone
  kubets up --storage etcd=http://127.0.0.1:2379  objects in an etcd of your own
`;

const maxLocalNodes = 100;

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > maxLocalNodes)
    throw new InvalidArgumentError(`it is a number from 1 to ${maxLocalNodes}.`);
  return count;
}

export function addNodeOptions(command: Command): Command {
  return command
    .addOption(new Option('--node-name <name>', 'name of this node').default(defaultNodeName(), 'the host name'))
    .addOption(new Option('--node-ip <ip[,ip]>', 'address of this node, or one of each family (default: that of the default route)'))
    .addOption(new Option('--node-labels <labels>', 'labels to register the node with, key=value,...').default('', 'none'))
    .addOption(new Option('--register-with-taints <taints>', 'taints to register it with, key=value:effect,...').default('', 'none'))
    .addOption(new Option('--nodeport-addresses <ranges>', 'ranges of the addresses that take traffic to node ports').default('primary'))
    .addOption(new Option('--non-masquerade-cidrs <ranges>', 'what pods reach with their own address besides pods').default('', 'none'))
    .addOption(ignorePreflightErrorsOption())
    .addOption(new Option('--kubelet-port <number>', 'port of the kubelet').default(10250).argParser(parsePort))
    .addOption(new Option('--container-runtime-endpoint <url>', 'a CRI socket to use instead of an own containerd'))
    .addOption(
      new Option(
        '--kubelet-arg <name=value>',
        'a flag of the kubelet, such as eviction-hard=memory.available<5%; may be given more than once',
      )
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'none'),
    );
}

export function addUpCommand(program: Command): void {
  addStopOptions(addNodeOptions(addControlPlaneOptions(program.command('up'))))
    .description('Bring up a cluster on this machine: control plane and node. Ctrl-C takes it down again.')
    .option('--no-node', 'only the control plane: needs no root and no system packages')
    .addOption(new Option('--nodes <number>', 'so many nodes, each in namespaces of its own').argParser(parseCount).conflicts(['nodeIp']))
    .addOption(
      new Option('--nodes-cidr <cidr[,cidr]>', `their network on this machine; with pods of IPv6 also in ${nodesCIDRIPv6}`).default(
        '172.29.0.0/24',
      ),
    )
    .addHelpText('after', examples)
    .action((flags: UpFlags) => runUp(flags));
}

async function runUp(flags: UpFlags): Promise<void> {
  if (flags.node && process.getuid?.() !== 0)
    throw new Error(
      'a node runs containers and sets up networks, which needs root. Run it as root, or with --no-node for the control plane alone.',
    );
  const progress = createProgress();
  const dataDir = openDataDir(flags.dataDir);
  const life = beginLife('up', dataDir, flags);
  // While the machine is looked at, the modules that come next are loaded.
  if (flags.node)
    await Promise.all([
      requireSoundMachine(flags, flags.nodes === undefined ? 'up' : 'local-nodes'),
      import('../control-plane/start-control-plane.ts'),
    ]);
  if (flags.node && flags.nodes !== undefined) return await upWithLocalNodes(flags, flags.nodes, { dataDir, progress, life });
  if (flags.node) {
    await replaceRunningAgent(dataDir);
    await requireFreePort(flags.kubeletPort, { what: "the kubelet's", flag: '--kubelet-port' });
  }
  const controlPlane = await startFromFlags(flags, dataDir, progress);
  let agent: SupervisedAgent | undefined;
  try {
    life.ready(`API server on port ${controlPlane.port}`);
    if (flags.node) agent = await startNode(flags, dataDir, controlPlane, { progress, life });
    progress.done('ready');
    sayWhatNext(flags, dataDir, progress);
    await Promise.race([life.stop, controlPlane.failed]);
  } finally {
    const order = await stopOrder(life, progress);
    if (agent) {
      await agent.stop(order);
      progress.done(order.pods ? 'pods and node' : 'node agent; its pods go on');
    }
    await controlPlane.stop();
  }
  progress.done('stopped');
  process.exit(0);
}

interface UpParts {
  readonly dataDir: DataDir;
  readonly progress: Progress;
  readonly life: CommandLife;
}

/** The order in which to stop: as the signal demands, or the usual one after a failure. */
async function stopOrder(life: CommandLife, progress: Progress): Promise<StopOrder> {
  const order = await Promise.race([life.stop, delay(0).then(() => life.usualStop)]);
  const text = order.pods ? `stopping; pods have ${Math.round(order.graceSeconds)} s to end ...` : 'stopping; pods go on ...';
  life.stopping(text);
  progress.begin(text);
  return order;
}

/** Runs the control plane on the machine itself, and nodes in namespaces of their own beside it. */
async function upWithLocalNodes(flags: UpFlags, count: number, { dataDir, progress, life }: UpParts): Promise<void> {
  const bridge = localNodeBridge(dataDir, nodeRanges(flags));
  // First, so that the API server's certificate names the machine's address in it.
  await bridge.ensure();
  const reachable = machineAddress() === '127.0.0.1' ? { advertiseAddress: bridge.address } : {};
  const controlPlane = await startFromFlags({ ...reachable, ...flags }, dataDir, progress);
  let nodesRun: LocalNodesRun | undefined;
  try {
    const client = adminClient(controlPlane);
    const before = await nodesNow(client);
    nodesRun = await runLocalNodes({
      ...{ dataDir, count, bridge, client, progress, flags, serviceCIDRs: flags.serviceCidr, logger: createLogger(flags.logLevel) },
      prefix: flags.nodeName === defaultNodeName() ? 'node' : flags.nodeName,
      target: { ...targetOf(flags, controlPlane), server: `https://${bridge.address}:${controlPlane.port}` },
    });
    life.ready(`API server on port ${controlPlane.port}`);
    await untilReady(client, nodesRun.names, { progress, stop: life.stop, before, log: path.join(dataDir.path, 'nodes/*/node/agent.log') });
    progress.done('ready');
    sayWhatNext(flags, dataDir, progress);
    await Promise.race([life.stop, controlPlane.failed]);
  } finally {
    const order = await stopOrder(life, progress);
    if (nodesRun) {
      await nodesRun.stop(order);
      progress.done(order.pods ? 'pods and nodes' : 'node agents; their pods go on');
    } else await removeLocalNodes(dataDir, { forget: false });
    await controlPlane.stop();
  }
  progress.done('stopped');
  process.exit(0);
}

/** In which the nodes have addresses where their pods have some of that family. */
const nodesCIDRIPv6 = 'fd00:172:29::/64';

function nodeRanges({ nodesCidr, clusterCidr }: UpFlags): string[] {
  const needsIPv6 = clusterCidr.includes(':') && !nodesCidr.includes(':');
  return [...nodesCidr.split(','), ...(needsIPv6 ? [nodesCIDRIPv6] : [])];
}

function targetOf(flags: UpFlags, controlPlane: ControlPlane): AgentTarget {
  return {
    server: `https://127.0.0.1:${controlPlane.port}`,
    clusterDNS: controlPlane.clusterDNSAddress,
    clusterCIDR: flags.clusterCidr,
  };
}

function adminClient({ transport }: ControlPlane): Client {
  const user = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
  return createClient(withUser(transport, user), { userAgent: 'kubets' });
}

async function startNode(
  flags: UpFlags,
  dataDir: DataDir,
  controlPlane: ControlPlane,
  { progress, life }: Pick<UpParts, 'progress' | 'life'>,
): Promise<SupervisedAgent> {
  const client = adminClient(controlPlane);
  const before = await nodesNow(client);
  const args = await prepareAgent(dataDir, flags, targetOf(flags, controlPlane));
  const agent = superviseAgent(dataDir, args, {
    onRestart: (why) => progress.fail(`the node agent ended (${why}) and is started again; see ${agentLogPlace(dataDir)}`),
    onProblem: progress.fail,
  });
  await untilReady(client, [flags.nodeName], { progress, stop: life.stop, before, log: agentLogPlace(dataDir) });
  return agent;
}

async function nodesNow(client: Client): Promise<EarlierNodes> {
  const { items } = await client(nodes).list();
  return earlierNodes(items, systemClock.nowMs());
}

interface Waiting {
  readonly progress: Progress;
  readonly stop: Promise<unknown>;
  readonly before: EarlierNodes;
  /** The path of the log, printed if the start takes long. */
  readonly log: string;
}

/** Waits until each node is ready, and reports each. */
async function untilReady(client: Client, names: readonly string[], { progress, stop, before, log }: Waiting): Promise<void> {
  let isStopping = false;
  void stop.then(() => (isStopping = true));
  const startedMs = performance.now();
  const missing = new Set(names);
  let hasWarned = false;
  while (!isStopping && missing.size > 0) {
    const { items } = await client(nodes).list();
    for (const node of items) {
      const { name = '' } = node.metadata;
      if (isReadySince(node, before) && missing.delete(name)) progress.done(`node ${name}`);
    }
    if (!hasWarned && performance.now() - startedMs > 30_000) {
      hasWarned = true;
      progress.note(`${[...missing].join(', ')} not ready yet; see ${log}`);
    }
    await delay(50);
  }
}

function sayWhatNext(flags: UpFlags, dataDir: DataDir, progress: Progress): void {
  progress.note('');
  progress.note(`export KUBECONFIG=${flags.kubeconfig ?? dataDir.adminKubeconfig}`);
  progress.note(flags.node ? 'kubectl get nodes,pods -A' : 'kubectl get namespaces');
  if (flags.node)
    progress.note(`Images come from registries, or from archives: kubets images load FILE.tar, or ${dataDir.images}/*.tar at the start.`);
  if (!flags.leavePodsRunning) progress.note('Ctrl-C stops everything; what was stored is there again at the next start.');
}
