import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runSuccessfully } from '../../framework/run-program.ts';
import { writeAccountKubeconfig } from './account-kubeconfig.ts';
import { type BackgroundProgram, startProgram } from './background-program.ts';
import { freePort, type TestCluster } from './cluster.ts';

const program = '/usr/bin/patroni';
const versions = '/usr/lib/postgresql';

/** Whether Debian's Patroni and PostgreSQL are there, and this process may start PostgreSQL, which refuses root, as another user. */
export function canRunPatroni(): boolean {
  return process.getuid?.() === 0 && existsSync(program) && existsSync(versions);
}

/** A PostgreSQL server that Patroni runs as one of a cluster, in the place of the Pod of that name. */
export interface Member {
  readonly name: string;
  /** The address that the cluster is told of as that of the Pod. */
  readonly podIP: string;
  /** Runs an SQL statement; returns the values of its rows. */
  query(sql: string): Promise<string>;
  start(): void;
  /** Ends Patroni and PostgreSQL at once, as a machine that fails does. */
  fail(): Promise<void>;
}

export interface PatroniCluster {
  readonly members: readonly Member[];
  patronictl(...args: readonly string[]): Promise<string>;
  /** The output of Patroni so far, of all members. */
  output(): string;
  stop(): Promise<void>;
}

interface PatroniOptions {
  /** The name of the database cluster, and so that of its Endpoints. */
  readonly scope: string;
  readonly namespace: string;
  /** The ServiceAccount whose rights it has. */
  readonly account: string;
  /** Members with the addresses of their Pods. */
  readonly pods: Readonly<Record<string, string>>;
}

/** Makes a cluster of PostgreSQL servers that finds its leader by an Endpoints object; none is started yet. */
export async function createPatroniCluster(cluster: TestCluster, options: PatroniOptions): Promise<PatroniCluster> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-patroni-'));
  // PostgreSQL's user comes through it to the kubeconfig and the programs' own folders.
  chmodSync(directory, 0o755);
  const kubeconfig = path.join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, readFileSync(await writeAccountKubeconfig(cluster, options.namespace, options.account)));
  await runSuccessfully('chown', ['-R', 'postgres:postgres', directory]);
  const env = { KUBECONFIG: kubeconfig };
  const members: (Member & { readonly file: string; output(): string })[] = [];
  for (const [name, podIP] of Object.entries(options.pods)) members.push(await createMember(directory, env, { ...options, name, podIP }));
  return {
    members,
    patronictl: (...args) => asPostgres(['/usr/bin/patronictl', '-c', members[0]?.file ?? '', ...args], env),
    output: () => members.map(({ name, output }) => `${name}:\n${output()}`).join('\n'),
    async stop() {
      for (const member of members) await member.fail();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const user = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
const asPostgres = (command: readonly string[], env: Readonly<Record<string, string>>) =>
  runSuccessfully('setpriv', [...user, ...command], { env, cwd: '/' });

async function createMember(
  directory: string,
  env: Readonly<Record<string, string>>,
  options: PatroniOptions & { readonly name: string; readonly podIP: string },
) {
  const { name, podIP } = options;
  const [port, restPort] = [await freePort(), await freePort()];
  const binDirectory = path.join(versions, readdirSync(versions).toSorted().at(-1) ?? '', 'bin');
  const file = path.join(directory, `${name}.yaml`);
  const data = path.join(directory, name);
  writeFileSync(file, JSON.stringify(patroniConfig(options, { directory, binDirectory, data, port, restPort })));
  let running: BackgroundProgram | undefined;
  let before = '';
  return {
    name,
    podIP,
    file,
    output: () => before + (running?.output() ?? ''),
    query: async (sql: string) =>
      (await asPostgres([path.join(binDirectory, 'psql'), '-h', '127.0.0.1', '-p', String(port), '-Atc', sql, 'postgres'], env)).trim(),
    start() {
      running = startProgram('setpriv', [...user, program, file], { env, cwd: '/' });
    },
    async fail() {
      if (!running) return;
      // The postmaster is a process of its own, whose first line in this file is its id.
      const pidFile = path.join(data, 'postmaster.pid');
      running.signal('SIGKILL');
      if (existsSync(pidFile)) killIfRunning(Number(readFileSync(pidFile, 'utf8').split('\n')[0]));
      // It has ended when nobody holds its output any more, PostgreSQL among them.
      await running.stop();
      before += running.output();
      running = undefined;
    },
  };
}

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Places {
  readonly directory: string;
  readonly binDirectory: string;
  readonly data: string;
  readonly port: number;
  readonly restPort: number;
}

function patroniConfig(
  { scope, namespace, account, name, podIP }: PatroniOptions & { readonly name: string; readonly podIP: string },
  { directory, binDirectory, data, port, restPort }: Places,
): object {
  const [address, restAddress] = [`127.0.0.1:${port}`, `127.0.0.1:${restPort}`];
  const postgres = { username: 'postgres' };
  return {
    scope,
    name,
    restapi: { listen: restAddress, connect_address: restAddress },
    kubernetes: {
      context: account,
      namespace,
      labels: { application: 'patroni' },
      use_endpoints: true,
      pod_ip: podIP,
      ports: [{ name: 'postgresql', port: 5432 }],
    },
    bootstrap: {
      // The shortest times that Patroni takes.
      dcs: {
        ttl: 20,
        loop_wait: 2,
        retry_timeout: 5,
        postgresql: { parameters: { max_connections: 20, shared_buffers: '8MB', fsync: 'off' } },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'no-sync'],
      pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust', 'local all all trust'],
    },
    postgresql: {
      listen: address,
      connect_address: address,
      bin_dir: binDirectory,
      data_dir: data,
      pgpass: path.join(directory, `${name}.pgpass`),
      authentication: { superuser: postgres, replication: postgres },
      parameters: { unix_socket_directories: directory },
    },
  };
}
