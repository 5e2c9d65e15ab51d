import path from 'node:path';
import { runProgram, type RunOptions, type RunResult, runSuccessfully } from '../../framework/run-program.ts';
import { type BackgroundProgram, startProgram } from '../../clients/support/background-program.ts';

/** A key pair by which a run of the test logs in to its machines. */
export interface KeyPair {
  readonly privateKeyFile: string;
  readonly publicKeyFile: string;
}

export async function createKeyPair(folder: string): Promise<KeyPair> {
  const privateKeyFile = path.join(folder, 'key');
  await runSuccessfully('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'machine-test', '-f', privateKeyFile]);
  return { privateKeyFile, publicKeyFile: `${privateKeyFile}.pub` };
}

/** root's shell on a machine. */
export interface Shell {
  /** Runs a script of `sh` to its end. The code is 255 where the connection failed. */
  run(script: string, options?: Omit<RunOptions, 'env' | 'cwd'>): Promise<RunResult>;
  /** Runs a script as run does, with a file of this machine as the script's standard input. */
  runWithFile(script: string, file: string, options?: Omit<RunOptions, 'env' | 'cwd' | 'input'>): Promise<RunResult>;
  /** A terminal session that runs a script; stopping it closes the terminal. */
  startSession(script: string): BackgroundProgram;
  /** Ends the connection that `run` uses. */
  disconnect(): Promise<void>;
  /** The command by which a person logs in. */
  readonly command: string;
}

export function createShell(port: number, { privateKeyFile }: KeyPair, controlSocket: string): Shell {
  const settings = [
    'UserKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=no',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'LogLevel=ERROR',
    'ConnectTimeout=60',
    'ServerAliveInterval=30',
    'ServerAliveCountMax=20',
  ];
  const target = ['-F', '/dev/null', '-i', privateKeyFile, ...settings.flatMap((setting) => ['-o', setting]), '-p', String(port)];
  const address = 'root@127.0.0.1';
  // One connection for all commands, since making one takes seconds on an emulated processor.
  const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${controlSocket}`, '-o', 'ControlPersist=yes'];
  return {
    run: (script, options) => runProgram('ssh', [...target, ...shared, address, script], options),
    runWithFile: (script, file, options) =>
      runProgram('sh', ['-c', 'file=$1; shift; exec "$@" <"$file"', 'sh', file, 'ssh', ...target, ...shared, address, script], options),
    startSession: (script) => startProgram('ssh', ['-tt', ...target, address, script]),
    async disconnect() {
      await runProgram('ssh', [...target, ...shared, '-O', 'exit', address]);
    },
    command: `ssh -i ${privateKeyFile} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -p ${port} ${address}`,
  };
}
