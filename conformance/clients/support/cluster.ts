import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildImages } from '../../images/build.ts';
import { type Cluster, connectCluster } from '../../framework/connect-cluster.ts';
import { type RunOptions, type RunResult, runProgram, runSuccessfully } from '../../framework/run-program.ts';
import { ensureClients } from './ensure-clients.ts';
import { findLeftovers, type Leftovers, subtractLeftovers } from './leftovers.ts';

const root = path.resolve(import.meta.dirname, '../../..');
/** The pinned Node, not whatever the machine has. */
export const nodeProgram = path.join(root, 'node_modules/.bin/node');
export const kubets = path.join(root, 'server/cli/kubets.mjs');

interface ClusterOptions {
  /** Whether to run a node on this machine: needs root, containerd, and no second one beside it. */
  readonly node: boolean;
  /** `--storage`; embedded if absent. */
  readonly storage?: string;
  readonly extraFlags?: readonly string[];
  /** Done to the data dir before the start. */
  readonly prepare?: (dataDir: string) => void | Promise<void>;
}

/** `kubets up` as a child process on its own data dir. */
export interface TestCluster {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly port: number;
  /** The process that is `kubets up` now. */
  pid(): number;
  /** The output since the (last) start. */
  output(): string;
  /** Starts it (again) on the same data dir and port; resolves when it says that it is ready. */
  start(): Promise<void>;
  connect(): Promise<Cluster>;
  /** Stock kubectl, the newest unless another is named. */
  kubectl(args: readonly string[], options?: RunOptions & { readonly program?: string }): Promise<RunResult>;
  /** Runs kubectl, which must succeed; returns standard output. */
  run(args: readonly string[], options?: RunOptions & { readonly program?: string }): Promise<string>;
  /** Helm of a version that ensureClients knows by its path. */
  helm(program: string, args: readonly string[]): Promise<RunResult>;
  /** Sends a signal to the control plane's process and waits for its end. */
  kill(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Stops it as Ctrl-C does, removes the data dir, and throws if anything is left on the machine. */
  stop(): Promise<void>;
}

/** Makes a data dir with the test images, starts `kubets up` on it, and waits until it is ready. */
export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'kubets-e2e-'));
  const find = () => findLeftovers(dataDir, { machine: options.node });
  const before = find();
  if (options.node) {
    mkdirSync(path.join(dataDir, 'images'), { recursive: true });
    await buildImages(path.join(dataDir, 'images'));
  }
  await options.prepare?.(dataDir);
  const cluster = createTestCluster(options, dataDir, await freePort(), find, before);
  try {
    await cluster.start();
  } catch (error) {
    await cluster.stop().catch((stopError: unknown) => console.error(stopError));
    throw error;
  }
  return cluster;
}

function createTestCluster(options: ClusterOptions, dataDir: string, port: number, find: () => Leftovers, before: Leftovers): TestCluster {
  const kubeconfig = path.join(dataDir, 'e2e.kubeconfig');
  const clients = ensureClients();
  let child: ChildProcess | undefined;
  let output = '';
  const args = [kubets, 'up', '--data-dir', dataDir, '--port', String(port), '--kubeconfig', kubeconfig];
  args.push(
    ...(options.node ? [] : ['--no-node']),
    ...(options.storage ? ['--storage', options.storage] : []),
    ...(options.extraFlags ?? []),
  );

  const kubectl: TestCluster['kubectl'] = (kubectlArgs, { program = clients.newestKubectl, ...rest } = {}) =>
    runProgram(program, ['--kubeconfig', kubeconfig, ...kubectlArgs], {
      ...rest,
      env: { KUBECACHEDIR: path.join(dataDir, 'kubecache'), ...rest.env },
    });
  const kill: TestCluster['kill'] = async (signal) => {
    const process = child;
    if (!process || process.exitCode !== null || process.signalCode !== null) throw new Error('kubets is not running');
    const ended = exitOf(process);
    process.kill(signal);
    return await ended;
  };
  return {
    dataDir,
    kubeconfig,
    port,
    kill,
    kubectl,
    pid: () => child?.pid ?? 0,
    output: () => output,
    async start() {
      output = '';
      const started = spawn(nodeProgram, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
      child = started;
      for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk: Buffer) => void (output += chunk.toString()));
      await untilReady(started, () => output, options.node ? 120 : 60).catch((error: unknown) => {
        started.kill('SIGKILL');
        throw error;
      });
    },
    connect: () => connectCluster(kubeconfig),
    async run(kubectlArgs, runOptions) {
      const { code, stdout, stderr } = await kubectl(kubectlArgs, runOptions);
      if (code !== 0) throw new Error(`kubectl ${kubectlArgs.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
      return stdout;
    },
    helm: (program, helmArgs) =>
      runProgram(program, [...helmArgs, '--kubeconfig', kubeconfig], {
        timeoutSeconds: 180,
        env: {
          HELM_CACHE_HOME: path.join(dataDir, 'helm'),
          HELM_CONFIG_HOME: path.join(dataDir, 'helm'),
          HELM_DATA_HOME: path.join(dataDir, 'helm'),
        },
      }),
    async stop() {
      const isRunning = child && child.exitCode === null && child.signalCode === null;
      const impatience = setTimeout(() => child?.kill('SIGKILL'), 60_000);
      const ended = isRunning ? await kill('SIGTERM') : undefined;
      clearTimeout(impatience);
      // It was killed and not started again: its node keeps running, as it should, until it is reset.
      if (!isRunning && options.node) await runSuccessfully(nodeProgram, [kubets, 'reset', '--data-dir', dataDir]);
      const left = await settledLeftovers(find, before);
      if (left.mounts.length === 0) rmSync(dataDir, { recursive: true, force: true });
      const problems = Object.entries(left).flatMap(([what, items]) => items.map((item: string) => `${what}: ${item}`));
      if (ended && ended.code !== 0) problems.push(`kubets ended with ${ended.code ?? ended.signal}`);
      if (problems.length > 0) throw new Error(`after kubets had stopped, there was:\n${problems.join('\n')}\nIts output:\n${output}`);
    },
  };
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
}

async function untilReady(child: ChildProcess, output: () => string, withinSeconds: number): Promise<void> {
  const deadline = performance.now() + withinSeconds * 1000;
  while (!/^✓ ready\b/m.test(output())) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`kubets up ended before it was ready:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`kubets up was not ready within ${withinSeconds} s:\n${output()}`);
    await delay(20);
  }
}

/** The kernel takes a moment to tear down namespaces and shims after their owner has gone. */
async function settledLeftovers(find: () => Leftovers, before: Leftovers): Promise<Leftovers> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const left = subtractLeftovers(find(), before);
    if (Object.values(left).every((items) => items.length === 0) || performance.now() > deadline) return left;
    await delay(100);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/** Whether this machine can run a node: root, and the programs that the node agent starts. */
export function canRunNode(): boolean {
  return process.getuid?.() === 0 && ['/usr/bin/containerd', '/usr/sbin/runc', '/usr/sbin/nft'].every((file) => existsSync(file));
}
