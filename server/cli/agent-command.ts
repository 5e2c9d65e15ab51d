import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { agentLogPlace, prepareAgent, replaceRunningAgent } from './agent/agent-process.ts';
import { type DataDir, findInstance, openDataDir } from './data-dir/data-dir.ts';
import { hasJoined, type JoinFlags, knowsCluster, prepareJoin } from './join/join.ts';
import { dataDirOption, logLevelOption, podNetworkOption } from './flags/options.ts';
import { requireSoundMachine } from './startup/preflight.ts';
import { createProgress, type Progress } from './terminal/progress.ts';
import { requireFreePort } from './startup/require-free-port.ts';
import { addStopOptions, beginLife } from './running/running-command.ts';
import type { StopFlags } from './running/stop-signals.ts';
import { superviseAgent } from './agent/supervise-agent.ts';
import { addNodeOptions } from './up-command.ts';

/** The flags of `kubets agent`. */
export interface AgentCommandFlags extends JoinFlags, StopFlags {
  readonly tokenFile?: string;
  readonly dataDir: string;
  readonly clusterDns: string;
  readonly clusterCidr: string;
  readonly ignorePreflightErrors: readonly string[];
}

const examples = `
Examples:
  kubets agent --server https://10.0.0.1:6443 --token abcdef.0123456789abcdef --ca-hash sha256:...
                              makes this machine a node of that cluster; the command line is what
                              'kubets token create --print-join-command' prints on the control plane
  KUBETS_TOKEN=... kubets agent --server ... --ca-hash ...
  kubets agent --server ... --ca-hash ... --token-file /root/token
                              the same with the token out of sight of the other users of this machine
  kubets agent                the same node again: it keeps its certificates in the data dir
                              (or a node beside 'kubets server' on the same data dir)
`;

export function addAgentCommand(program: Command): void {
  addStopOptions(addNodeOptions(program.command('agent')))
    .description('Run a node: of a cluster elsewhere that this machine joins, or of the control plane on the same data dir. Needs root.')
    .addOption(dataDirOption())
    .option('--server <url>', 'API server of the cluster to join')
    .addOption(new Option('--token <token>', 'bootstrap token of that cluster').env('KUBETS_TOKEN'))
    .option('--token-file <path>', 'file that holds the bootstrap token; - for the standard input')
    .option('--ca-hash <sha256:hex>', "hash of the public key of the cluster's CA; may be given more than once", collect, [])
    .option('--cluster-dns <ip>', 'address of the cluster DNS, beside a control plane on the same data dir', '10.96.0.10')
    .option('--cluster-cidr <cidr>', 'range of all pods, likewise', '10.244.0.0/16')
    .addOption(podNetworkOption())
    .addOption(logLevelOption())
    .addHelpText('after', examples)
    .action((flags: AgentCommandFlags) => runAgent(flags));
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

async function runAgent(flags: AgentCommandFlags): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('a node runs containers and sets up networks, which needs root');
  const progress = createProgress();
  const dataDir = openDataDir(flags.dataDir);
  const life = beginLife('agent', dataDir, flags);
  await requireSoundMachine(flags, 'agent');
  await replaceRunningAgent(dataDir);
  await requireFreePort(flags.kubeletPort, { what: "the kubelet's", flag: '--kubelet-port' });
  const { args, isJoining } = await argumentsOf(flags, dataDir);
  const agent = superviseAgent(dataDir, args, {
    onRestart: (why) => progress.fail(`the node agent ended (${why}) and is started again; see ${agentLogPlace(dataDir)}`),
    onProblem: progress.fail,
  });
  life.ready(`node agent for ${flags.nodeName}`);
  progress.done(`node agent for ${flags.nodeName}; its log is ${agentLogPlace(dataDir)}`);
  if (isJoining) await Promise.race([life.stop, untilJoined(dataDir, flags, progress)]);
  const order = await life.stop;
  const text = order.pods ? 'stopping the pods ...' : 'stopping; pods go on ...';
  life.stopping(text);
  progress.begin(text);
  await agent.stop(order);
  progress.done('stopped');
  process.exit(0);
}

/** Reports when the cluster has issued the node's certificate, and where to look if it does not. */
async function untilJoined(dataDir: DataDir, { nodeName }: AgentCommandFlags, progress: Progress): Promise<void> {
  const startedMs = performance.now();
  let hasWarned = false;
  while (!hasJoined(dataDir)) {
    if (!hasWarned && performance.now() - startedMs > 10_000) {
      hasWarned = true;
      progress.note(`the cluster has given ${nodeName} no certificate yet; see ${agentLogPlace(dataDir)}`);
    }
    await delay(50);
  }
  progress.done(`${nodeName} has joined the cluster`);
}

/** The token, which the processes started from here are not to find in their environment. */
async function tokenOf({ token, tokenFile }: AgentCommandFlags): Promise<string | undefined> {
  delete process.env['KUBETS_TOKEN'];
  if (tokenFile === undefined) return token;
  return (tokenFile === '-' ? await text(process.stdin) : await readFile(tokenFile, 'utf8')).trim();
}

/** Checks that the machine is, or may become, a node of a cluster, and writes the data that it needs for that into its data dir. */
export async function prepareNode(flags: AgentCommandFlags, dataDir: DataDir): Promise<void> {
  await argumentsOf(flags, dataDir);
}

interface AgentStart {
  readonly args: readonly string[];
  /** Whether it has to ask for its certificate first. */
  readonly isJoining: boolean;
}

async function argumentsOf(flags: AgentCommandFlags, dataDir: DataDir): Promise<AgentStart> {
  const token = await tokenOf(flags);
  const instance = flags.server === undefined ? findInstance(dataDir.path) : undefined;
  if (instance !== undefined) {
    const target = { server: instance.server, clusterDNS: flags.clusterDns, clusterCIDR: flags.clusterCidr };
    return { args: await prepareAgent(dataDir, flags, target), isJoining: false };
  }
  if (flags.server === undefined && !knowsCluster(dataDir))
    throw new Error(
      `${dataDir.path} belongs to no cluster: join one with --server, --token and --ca-hash, or start a control plane on the same data dir first`,
    );
  const args = await prepareJoin(dataDir, { ...flags, ...(token === undefined ? {} : { token }) });
  return { args, isJoining: !hasJoined(dataDir) };
}
