import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { NodeBridge } from '../../../node-agent/linux/namespaces/node-bridge.ts';
import { createNodeNamespaces } from '../../../node-agent/linux/namespaces/node-namespaces.ts';
import { type RunOptions, type RunResult, runProgram } from '../../framework/run-program.ts';
import { type BackgroundProgram, startProgram } from './background-program.ts';
import { kubets, nodeProgram } from './cluster.ts';

/** A substitute for another machine with kubets on it: with its own network, processes, mounts, host name and cgroups. */
export interface BareMachine {
  readonly name: string;
  readonly address: string;
  /** Its `--data-dir`. */
  readonly dataDir: string;
  /** Switches it on (again): its stored data are there, and no process runs. */
  boot(): Promise<void>;
  /** Runs a program on it to its end. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs a program on it in the background. */
  start(program: string, args: readonly string[]): Promise<BackgroundProgram>;
  /** Runs `kubets` on it to its end. */
  kubets(...args: readonly string[]): Promise<RunResult>;
  /** `kubets agent` in the background. */
  startAgent(...args: readonly string[]): Promise<BackgroundProgram>;
  /** The agent's log. */
  agentLog(): string;
  /** Pulls the plug: SIGKILL of everything that runs on it. */
  kill(): Promise<void>;
  /** Kills it and deletes its stored data. */
  remove(): Promise<void>;
}

interface BareMachineOptions {
  readonly name: string;
  /** The directory of all its files. */
  readonly directory: string;
  /** The bridge that it is plugged into, and its place there. */
  readonly bridge: NodeBridge;
  readonly index: number;
  /** Folder of image archives that it has. */
  readonly images: string;
}

export function createBareMachine({ name, directory, bridge, index, images }: BareMachineOptions): BareMachine {
  const dataDir = path.join(directory, 'data');
  const cgroup = `/${path.basename(path.dirname(directory))}-${name}`;
  const privateFolders = ['/run', '/var/lib/cni', '/etc/cni', '/opt/cni'];
  const namespaces = createNodeNamespaces({ name, directory, cgroup, privateFolders }, { clock: systemClock });
  const enter = async (program: string, args: readonly string[]) => {
    const pid = await namespaces.findPID();
    if (pid === undefined) throw new Error(`machine ${name} does not run`);
    return [...(await namespaces.enter(pid)), program, ...args];
  };
  const run: BareMachine['run'] = async (program, args, options) => {
    const [first = '', ...rest] = await enter(program, args);
    return await runProgram(first, rest, options);
  };
  const start: BareMachine['start'] = async (program, args) => {
    const [first = '', ...rest] = await enter(program, args);
    return startProgram(first, rest);
  };
  return {
    name,
    address: bridge.nodeAddresses(index)[0] ?? '',
    dataDir,
    run,
    start,
    async boot() {
      mkdirSync(dataDir, { recursive: true });
      rmSync(path.join(dataDir, 'images'), { recursive: true, force: true });
      symlinkSync(images, path.join(dataDir, 'images'));
      const { pid } = await namespaces.ensure();
      await bridge.connect(index, pid);
    },
    kubets: (...args) => run(nodeProgram, [kubets, ...args]),
    startAgent: (...args) => start(nodeProgram, [kubets, 'agent', '--data-dir', dataDir, ...args]),
    agentLog: () => readFileSync(path.join(dataDir, 'node/agent.log'), 'utf8'),
    kill: () => namespaces.end(),
    async remove() {
      await namespaces.end();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
