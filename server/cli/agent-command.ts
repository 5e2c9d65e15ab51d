import type { Command } from 'commander';
import { type AgentFlags, agentLogFile, prepareAgent, replaceRunningAgent, superviseAgent } from './agent-process.ts';
import { untilAskedToStop } from './control-plane.ts';
import { getInstance, openDataDir } from './data-dir.ts';
import { dataDirOption, logLevelOption } from './options.ts';
import { createProgress } from './progress.ts';
import { addNodeOptions } from './up-command.ts';

type Flags = AgentFlags & { readonly dataDir: string; readonly clusterDns: string; readonly clusterCidr: string };

export function addAgentCommand(program: Command): void {
  addNodeOptions(program.command('agent'))
    .description('Run a node beside the control plane that runs on the same data dir. Needs root.')
    .addOption(dataDirOption())
    .option('--cluster-dns <ip>', 'address of the cluster DNS', '10.96.0.10')
    .option('--cluster-cidr <cidr>', 'range of all pods', '10.244.0.0/16')
    .addOption(logLevelOption())
    .action((flags: Flags) => runAgent(flags));
}

async function runAgent(flags: Flags): Promise<void> {
  const progress = createProgress();
  const dataDir = openDataDir(flags.dataDir);
  const { server } = getInstance(dataDir.path);
  const stop = untilAskedToStop();
  await replaceRunningAgent(dataDir);
  const args = await prepareAgent(dataDir, flags, { server, clusterDNS: flags.clusterDns, clusterCIDR: flags.clusterCidr });
  const agent = superviseAgent(dataDir, args, {
    onRestart: (code) => progress.fail(`the node agent ended (${code}) and is started again; see ${agentLogFile(dataDir)}`),
  });
  progress.done(`node agent for ${flags.nodeName}; its log is ${agentLogFile(dataDir)}`);
  await stop;
  await agent.stop();
  progress.done('stopped');
  process.exit(0);
}
