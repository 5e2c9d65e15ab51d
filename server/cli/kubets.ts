import { Command } from 'commander';
import { addAgentCommand } from './agent-command.ts';
import { addCheckCommand } from './check/check-command.ts';
import { addCertsCommand } from './certs/certs-command.ts';
import { addCheckMachineCommand } from './check-machine-command.ts';
import { hideSecrets } from './terminal/hide-secrets.mjs';
import { addImagesCommand } from './images-command.ts';
import { addKubeconfigCommand } from './kubeconfig-command.ts';
import { addResetCommand } from './reset-command.ts';
import { addInstallCommand, addInstallShorthands } from './service/install-command.ts';
import { addUninstallCommand } from './service/uninstall-command.ts';
import { addStatusCommand } from './status/status-command.ts';
import { addStopCommand } from './stop-command.ts';
import { addServerCommand } from './server-command.ts';
import { addTokenCommand } from './token-command.ts';
import { UnfitMachineError, unfitMachineStatus } from './startup/unfit-machine.ts';
import { addUpCommand } from './up-command.ts';
import { kubetsVersion } from '../control-plane/version.ts';

const examples = `
Examples:
  kubets up                          a cluster on this machine: control plane and node (needs root)
  kubets up --no-node                API server, controllers and scheduler alone (needs nothing)
  kubets up --storage memory         forgets everything at the end
  kubets check-machine               what this machine lacks to be a node, and what to do
  kubets install                     the same as a service, after each boot
  kubets status                      what runs, what is wrong, what to do
  kubets check                       the CIS Kubernetes Benchmark: what is as it says, what is not
  kubets certs check                 certificates, when they expire, what is wrong
  kubets images load web.tar         makes a docker or OCI archive available to the node
  kubectl --kubeconfig $(kubets kubeconfig --path) get nodes
`;

/** The `kubets` command: parses the command line and runs one of the commands. */
export async function main(argv: readonly string[]): Promise<void> {
  hideSecrets(argv);
  const program = new Command('kubets')
    .description('Kubernetes in TypeScript: a Kubernetes v1.36 cluster in one process.')
    .version(kubetsVersion, '-V, --version')
    .addHelpText('after', examples)
    .enablePositionalOptions()
    .showHelpAfterError('(kubets --help shows what there is)');
  addUpCommand(program);
  addServerCommand(program);
  addAgentCommand(program);
  addCheckMachineCommand(program);
  addCheckCommand(program);
  addKubeconfigCommand(program);
  addTokenCommand(program);
  addCertsCommand(program);
  addImagesCommand(program);
  addStatusCommand(program);
  addStopCommand(program);
  addInstallCommand(program);
  addInstallShorthands(program);
  addUninstallCommand(program);
  addResetCommand(program);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.stderr.write(`kubets: ${error instanceof Error ? error.message : String(error)}\n`);
    // Parts that had been started before the failure must not keep the process.
    process.exit(error instanceof UnfitMachineError ? unfitMachineStatus : 1);
  }
}
