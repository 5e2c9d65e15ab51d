import { type Command, Option } from 'commander';
import { defaultNodeName } from './agent/agent-process.ts';
import { dataDirOption, podNetworkOption } from './flags/options.ts';
import { parsePort, parseServiceCIDRs } from './flags/parse-flags.ts';
import { formatFindings, ignorePreflightErrorsOption, preflight, type PreflightFlags } from './startup/preflight.ts';

type Flags = PreflightFlags & { readonly output: 'table' | 'json'; readonly agent: boolean };

const examples = `
Examples:
  kubets check-machine                                whether 'kubets up' would work here
  kubets check-machine --server https://10.0.0.1:6443 whether it could join that cluster
  kubets check-machine -o json
`;

export function addCheckMachineCommand(program: Command): void {
  program
    .command('check-machine')
    .description('Say what this machine lacks to be a node, each with its remedy. Changes nothing; exits 1 where there are errors.')
    .addOption(dataDirOption())
    .addOption(new Option('--node-name <name>', 'name of this node').default(defaultNodeName(), 'the host name'))
    .option('--agent', 'for a node alone, without a control plane', false)
    .option('--server <url>', 'API server of the cluster to join: for a node alone, and whether the clocks agree')
    .addOption(new Option('--port <number>', 'port of the API server').default(6443).argParser(parsePort))
    .addOption(new Option('--kubelet-port <number>', 'port of the kubelet').default(10250).argParser(parsePort))
    .addOption(new Option('--cluster-cidr <cidr[,cidr]>', 'range of all pods').default('10.244.0.0/16'))
    .addOption(
      new Option('--service-cidr <cidr[,cidr]>', 'range of ClusterIPs')
        .default(['10.96.0.0/12'], '10.96.0.0/12')
        .argParser(parseServiceCIDRs),
    )
    .addOption(podNetworkOption())
    .addOption(new Option('--container-runtime-endpoint <url>', 'a CRI socket to use instead of an own containerd'))
    .addOption(ignorePreflightErrorsOption())
    .addOption(new Option('-o, --output <format>', 'how it is told').choices(['table', 'json']).default('table'))
    .addHelpText('after', examples)
    .action((flags: Flags) => checkMachine(flags));
}

async function checkMachine(flags: Flags): Promise<void> {
  const findings = await preflight(flags, flags.agent || flags.server !== undefined ? 'agent' : 'up', { isThorough: true });
  const count = (level: string) => findings.filter((finding) => finding.level === level).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify({ ok: errors === 0, errors, warnings, findings }, undefined, 2)}\n`);
  else {
    process.stdout.write(formatFindings(findings, process.stdout));
    process.stdout.write(`\n${errors} errors, ${warnings} warnings\n`);
  }
  process.exitCode = errors > 0 ? 1 : 0;
}
