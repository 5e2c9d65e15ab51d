import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { createClient } from '../../api/client/create-client.ts';
import { withUser } from '../../api/client/with-user.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { isNodeReady } from '../../api/semantics/node-conditions.ts';
import type { ControlPlane } from '../main.ts';
import {
  type AgentFlags,
  agentLogFile,
  defaultNodeName,
  prepareAgent,
  replaceRunningAgent,
  type SupervisedAgent,
  superviseAgent,
} from './agent-process.ts';
import { startFromFlags, untilAskedToStop } from './control-plane.ts';
import { type DataDir, openDataDir } from './data-dir.ts';
import { addControlPlaneOptions, type ControlPlaneFlags, parsePort } from './options.ts';
import { createProgress, type Progress } from './progress.ts';
import { requireFreePort } from './require-free-port.ts';

type UpFlags = ControlPlaneFlags & AgentFlags & { readonly node: boolean };

const examples = `
Examples:
  kubets up                                       a cluster of one machine, as root
  kubets up --no-node --port 7443 --data-dir ./k  the control plane alone, as anyone
  kubets up --storage etcd=http://127.0.0.1:2379  objects in an etcd of your own
`;

export function addNodeOptions(command: Command): Command {
  return command
    .addOption(new Option('--node-name <name>', 'name of this node').default(defaultNodeName(), 'the host name'))
    .addOption(new Option('--node-ip <ip>', 'address of this node (default: that of the default route)'))
    .addOption(new Option('--pod-cidr <cidr>', "range of this node's pods").default('10.244.0.0/24'))
    .addOption(new Option('--kubelet-port <number>', 'port of the kubelet').default(10250).argParser(parsePort))
    .addOption(new Option('--container-runtime-endpoint <url>', 'a CRI socket to use instead of an own containerd'));
}

export function addUpCommand(program: Command): void {
  addNodeOptions(addControlPlaneOptions(program.command('up')))
    .description('Bring up a cluster on this machine: control plane and node. Ctrl-C takes it down again.')
    .option('--no-node', 'only the control plane: needs no root and no system packages')
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
  const stop = untilAskedToStop();
  if (flags.node) {
    await replaceRunningAgent(dataDir);
    await requireFreePort(flags.kubeletPort, { what: "the kubelet's", flag: '--kubelet-port' });
  }
  const controlPlane = await startFromFlags(flags, dataDir, progress);
  let agent: SupervisedAgent | undefined;
  try {
    if (flags.node) agent = await startNode(flags, dataDir, controlPlane, progress, stop);
    progress.done('ready');
    sayWhatNext(flags, dataDir, progress);
    await Promise.race([stop, controlPlane.failed]);
    progress.note('stopping ...');
  } finally {
    if (agent) {
      await agent.stop();
      progress.done('pods and node');
    }
    await controlPlane.stop();
  }
  progress.done('stopped');
  process.exit(0);
}

async function startNode(
  flags: UpFlags,
  dataDir: DataDir,
  controlPlane: ControlPlane,
  progress: Progress,
  stop: Promise<unknown>,
): Promise<SupervisedAgent> {
  const args = await prepareAgent(dataDir, flags, {
    server: `https://127.0.0.1:${controlPlane.port}`,
    clusterDNS: controlPlane.clusterDNSAddress,
  });
  const agent = superviseAgent(dataDir, args, (code) =>
    progress.fail(`the node agent ended (${code}) and is started again; see ${agentLogFile(dataDir)}`),
  );
  const client = createClient(
    withUser(controlPlane.transport, { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }),
    { userAgent: 'kubets' },
  );
  let isStopping = false;
  void stop.then(() => (isStopping = true));
  const startedMs = performance.now();
  let hasWarned = false;
  while (!isStopping) {
    const { items } = await client(nodes).list();
    if (items.some((node) => node.metadata.name === flags.nodeName && isNodeReady(node))) break;
    if (!hasWarned && performance.now() - startedMs > 30_000) {
      hasWarned = true;
      progress.note(`the node is not ready yet; its log is ${agentLogFile(dataDir)}`);
    }
    await delay(50);
  }
  if (!isStopping) progress.done(`node ${flags.nodeName}`);
  return agent;
}

function sayWhatNext(flags: UpFlags, dataDir: DataDir, progress: Progress): void {
  progress.note('');
  progress.note(`export KUBECONFIG=${flags.kubeconfig ?? dataDir.adminKubeconfig}`);
  progress.note(flags.node ? 'kubectl get nodes,pods -A' : 'kubectl get namespaces');
  if (flags.node)
    progress.note(`Images come from registries, or from archives: kubets images load FILE.tar, or ${dataDir.images}/*.tar at the start.`);
  progress.note('Ctrl-C stops everything; what was stored is there again at the next start.');
}
