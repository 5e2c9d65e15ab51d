import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BackgroundProgram } from '../../clients/support/background-program.ts';
import { ensureClients } from '../../clients/support/ensure-clients.ts';
import { type RunOptions, type RunResult, runProgram } from '../../framework/run-program.ts';
import { waitFor } from '../../framework/wait-for.ts';
import type { Machine } from '../emulator/machine.ts';
import { checkoutFolder } from '../image/ensure-image.ts';

/** The cluster whose control plane is on a machine. */
export interface GuestCluster {
  /** Runs `npm run up` in a terminal session until it is ready. */
  up(flags?: readonly string[]): Promise<void>;
  /** The output of `npm run up` since its start. */
  upOutput(): string;
  /** Ctrl-C in that session, until the command has ended. */
  interruptUp(): Promise<void>;
  /** Closes the terminal in which it runs. */
  closeTerminal(): Promise<void>;
  /** Takes the administrator's credentials from the machine anew. */
  readCredentials(): Promise<void>;
  /** kubectl here, through a port that leads to the API there: on an emulated processor kubectl takes seconds to start. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs kubectl, which must succeed; returns standard output. */
  run(...args: readonly string[]): Promise<string>;
  apply(manifest: object): Promise<void>;
  /** The fields of an object that a JSONPath names. */
  field(object: string, jsonPath: string): Promise<string>;
  /** Waits until a field of an object is as wanted. */
  waitForField(object: string, jsonPath: string, wanted: RegExp, usualSeconds: number): Promise<string>;
  /** Removes objects at once, whatever they are; those that are not there are no error. */
  remove(...objects: readonly string[]): Promise<void>;
  /** `kubets` in the checkout on the machine. */
  kubets(args: string, options?: { readonly timeoutSeconds?: number }): Promise<RunResult>;
}

interface GuestClusterOptions {
  readonly machine: Machine;
  readonly folder: string;
  readonly seconds: (usual: number) => number;
}

export function createGuestCluster({ machine, folder, seconds }: GuestClusterOptions): GuestCluster {
  const kubeconfig = path.join(folder, 'admin.kubeconfig');
  const program = ensureClients().newestKubectl;
  let session: BackgroundProgram | undefined;

  const kubectl: GuestCluster['kubectl'] = (args, options) =>
    runProgram(program, ['--kubeconfig', kubeconfig, ...args], {
      timeoutSeconds: seconds(60),
      ...options,
      env: { KUBECACHEDIR: path.join(folder, 'kubecache'), ...options?.env },
    });
  const succeed = async (args: readonly string[], options?: RunOptions): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  };
  const field: GuestCluster['field'] = (object, jsonPath) => succeed(['get', object, '-o', `jsonpath=${jsonPath}`]);
  const readCredentials: GuestCluster['readCredentials'] = async () => {
    const text = await machine.succeed('cat /var/lib/kubets/admin.kubeconfig');
    writeFileSync(kubeconfig, text.replace(/server: .*/, `server: https://127.0.0.1:${machine.apiPort}`), { mode: 0o600 });
  };
  const ended = async (end: (session: BackgroundProgram) => void): Promise<void> => {
    if (session === undefined) throw new Error('npm run up was not started');
    end(session);
    const isOver = await Promise.race([session.exitCode.then(() => true), delayed(seconds(120))]);
    if (!isOver) throw new Error(`npm run up has not ended; it said:\n${session.output()}`);
  };
  return {
    kubectl,
    field,
    readCredentials,
    async up(flags = []) {
      const separator = flags.length === 0 ? '' : ` -- ${flags.join(' ')}`;
      session = machine.shell.startSession(`cd ${checkoutFolder} && npm run up${separator}`);
      await Promise.race([
        session.says(/✓\S* ready/, seconds(240)),
        session.exitCode.then((code) => {
          throw new Error(`npm run up ended with ${code}:\n${session?.output()}`);
        }),
      ]);
      await readCredentials();
    },
    upOutput: () => session?.output() ?? '',
    interruptUp: () => ended((open) => open.write('\x03')),
    async closeTerminal() {
      await session?.stop();
    },
    run: (...args) => succeed(args),
    async apply(manifest) {
      await succeed(['apply', '-f', '-'], { input: JSON.stringify(manifest) });
    },
    waitForField: async (object, jsonPath, wanted, usualSeconds) => {
      let last = '';
      return await waitFor(
        `${jsonPath} of ${object} to be ${wanted}`,
        async () => {
          last = await field(object, jsonPath).catch(String);
          return wanted.test(last) ? last : undefined;
        },
        { withinSeconds: seconds(usualSeconds), everyMs: 500 },
      ).catch(async (error: unknown) => {
        const { stdout } = await kubectl(['describe', object]);
        throw new Error(`${String(error)}; it is '${last}'\n${stdout}`, { cause: error });
      });
    },
    async remove(...objects) {
      await kubectl(['delete', '--ignore-not-found', '--grace-period=0', '--force', '--wait=true', ...objects], {
        timeoutSeconds: seconds(90),
      });
    },
    kubets: (args, options) =>
      machine.shell.run(`cd ${checkoutFolder} && npm run -s kubets -- ${args}`, { timeoutSeconds: seconds(120), ...options }),
  };
}

function delayed(forSeconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, forSeconds * 1000, false).unref());
}
