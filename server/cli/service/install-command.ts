import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { addAgentCommand, type AgentCommandFlags, prepareNode } from '../agent-command.ts';
import { openDataDir } from '../data-dir/data-dir.ts';
import { type MachineRole, type PreflightFlags, requireSoundMachine } from '../startup/preflight.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { findRuns } from '../data-dir/runs.ts';
import { addServerCommand } from '../server-command.ts';
import { addUpCommand } from '../up-command.ts';
import { captureFlags, type CapturedFlags } from './capture-flags.ts';
import { excludes, planService, type ServiceKind, unitNames } from './plan-service.ts';
import { findServiceState, findUnitText, installedServices, requireSystemd, systemctl, unitFile, writeUnit } from './service-manager.ts';
import { renderUnit } from './unit-file.ts';

interface InstallFlags {
  readonly agent?: boolean;
  readonly dryRun: boolean;
  readonly start: boolean;
}

const examples = `
Every flag of 'kubets up' (with --agent: of 'kubets agent') may follow, and is kept in the unit:
  kubets install                                  cluster and node of this machine, now and after each boot
  kubets install --pod-network vxlan              the same with a flag of 'kubets up'
  kubets install --agent --server https://10.0.0.1:6443 --token abcdef.0123456789abcdef --ca-hash sha256:...
                                                  makes this machine a node of that cluster; the token is used now
                                                  and is in no unit
  kubets server install                           a control plane alone
  kubets install --dry-run                        prints the unit and changes nothing

It can be run again, with other flags for instance: what is as it should be is left alone.
Then: kubets status, journalctl -u kubets, kubets stop [--pods], kubets uninstall
`;

const adders: Readonly<Record<ServiceKind, (program: Command) => void>> = {
  up: addUpCommand,
  agent: addAgentCommand,
  server: addServerCommand,
};

export function addInstallCommand(program: Command): void {
  addInstallOptions(program.command('install'))
    .description('Run the cluster as a service of systemd: from now on, and after each boot. Needs root.')
    .option('--agent', "a node of a cluster elsewhere, as 'kubets agent' runs it")
    .addHelpText('after', examples)
    .action((args: readonly string[], flags: InstallFlags) => install(flags.agent ? 'agent' : 'up', args, flags));
}

function addInstallOptions(command: Command): Command {
  return command
    .argument('[flags...]', "flags of 'kubets up', or of 'kubets agent'")
    .option('--dry-run', 'print the unit, and change nothing', false)
    .option('--no-start', 'from the next boot on only')
    .allowUnknownOption()
    .allowExcessArguments();
}

/** Adds `kubets agent install` and `kubets server install`, which are short for `install` with that role. */
export function addInstallShorthands(program: Command): void {
  for (const kind of ['agent', 'server'] as const) {
    const command = program.commands.find((one) => one.name() === kind)?.enablePositionalOptions();
    if (!command) continue;
    addInstallOptions(command.command('install'))
      .description(`the same as 'kubets install' for 'kubets ${kind}'`)
      .action((args: readonly string[], flags: InstallFlags) => install(kind, args, flags));
  }
}

async function install(kind: ServiceKind, args: readonly string[], { dryRun, start }: InstallFlags): Promise<void> {
  const captured = captureFlags(kind, adders[kind], args);
  const unit = renderUnit(planOf(kind, captured));
  if (dryRun) return void process.stdout.write(unit);
  if (process.getuid?.() !== 0) throw new Error('installing a service needs root; --dry-run prints the unit without');
  requireSystemd();
  await refuseRivals(kind, String(captured.values['dataDir']));
  const progress = createProgress();
  openDataDir(String(captured.values['dataDir']));
  const plan = captured.values as unknown as PreflightFlags;
  if (kind !== 'server' && captured.values['node'] !== false) await requireSoundMachine(plan, roleOf(kind, captured));
  if (kind === 'agent') await joinFirst(captured, progress);
  const isNew = findUnitText(kind) !== unit;
  if (isNew) {
    writeUnit(kind, unit);
    await systemctl('daemon-reload');
    progress.done(unitFile(kind));
  }
  const name = `${unitNames[kind]}.service`;
  await systemctl('--quiet', 'enable', name);
  if (start) await startService(name, isNew, progress);
  progress.note('');
  progress.note(
    `${start ? 'It runs, and is' : 'It is'} started after each boot. kubets status, journalctl -u ${unitNames[kind]}, kubets stop, kubets uninstall`,
  );
}

function roleOf(kind: ServiceKind, { values }: CapturedFlags): MachineRole {
  if (kind === 'agent') return 'agent';
  return values['nodes'] === undefined ? 'up' : 'local-nodes';
}

function planOf(kind: ServiceKind, { values, given }: CapturedFlags) {
  const root = path.resolve(import.meta.dirname, '../../..');
  const bundled = path.join(root, 'node_modules/.bin/node');
  return planService({
    ...{ kind, given, root },
    hasNode: kind === 'agent' || (kind === 'up' && values['node'] !== false),
    workingDirectory: process.env['INIT_CWD'] ?? process.cwd(),
    dataDirectory: path.resolve(process.env['INIT_CWD'] ?? process.cwd(), String(values['dataDir'])),
    // The Node program that comes with kubets, which is still there after an upgrade.
    nodeProgram: existsSync(bundled) ? bundled : process.execPath,
  });
}

async function refuseRivals(kind: ServiceKind, dataDirectory: string): Promise<void> {
  const rival = installedServices().find((other) => excludes[kind].includes(other));
  if (rival)
    throw new Error(
      `${unitNames[rival]}.service is installed on this machine, and runs the same parts: 'kubets uninstall' removes it first`,
    );
  const state = await findServiceState(`${unitNames[kind]}.service`);
  const foreground = findRuns({ path: path.resolve(dataDirectory) }).find(({ command, pid }) => command === kind && pid !== state?.mainPID);
  if (foreground)
    throw new Error(
      `'kubets ${foreground.command}' runs on ${dataDirectory} in the foreground (process ${foreground.pid}): stop it first; 'kubets stop' leaves its Pods running, and the service adopts them`,
    );
}

/** Checks cluster and token now, while a person can read the error, and stores what the node needs in files that only root can read. */
async function joinFirst({ values }: CapturedFlags, progress: Progress): Promise<void> {
  const flags = values as unknown as AgentCommandFlags;
  await prepareNode(flags, openDataDir(flags.dataDir));
  if (flags.server !== undefined) progress.done(`cluster ${flags.server}, as node ${flags.nodeName}`);
}

async function startService(name: string, isNew: boolean, progress: Progress): Promise<void> {
  const state = await findServiceState(name);
  if (state?.active === 'active' && !isNew) return progress.done(`${name} runs already, as it should`);
  await systemctl(isNew ? 'restart' : 'start', name).catch((error: unknown) => {
    throw new Error(
      `${(error as Error).message}\nWhat went wrong is in 'journalctl -u ${name}'; the service is tried again until it starts`,
      {
        cause: error,
      },
    );
  });
  progress.done(`${name} is started`);
}
