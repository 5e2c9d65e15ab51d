import path from 'node:path';
import { waitFor } from '../../framework/wait-for.ts';
import { writeAccountKubeconfig } from './account-kubeconfig.ts';
import { type BackgroundProgram, startProgram } from './background-program.ts';
import { freePort, type TestCluster } from './cluster.ts';

const folder = path.resolve(import.meta.dirname, '../../../docs/operators');

/** How an operator of `docs/operators` is run beside a cluster, as its page says. */
interface OperatorProgram {
  /** The folder under `docs/operators`. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** The namespace of its ServiceAccount and its Lease. */
  readonly namespace: string;
  /** The name of its ServiceAccount, its Lease and its webhook configurations. */
  readonly account: string;
}

export interface Operator {
  readonly folder: string;
  /** Starts a replica, with the rights of the operator's ServiceAccount and nothing more. */
  start(identity: string): Promise<BackgroundProgram>;
  /** Waits until a replica has the lease and its address stands in the webhook configurations. */
  leads(replica: BackgroundProgram): Promise<void>;
  /** The identity that holds the lease; empty if none does. */
  leader(): Promise<string>;
  /** Ends all replicas that still run. */
  stop(): Promise<void>;
}

export function createOperator(cluster: TestCluster, { name, program, args, namespace, account }: OperatorProgram): Operator {
  const replicas: BackgroundProgram[] = [];
  let kubeconfig: Promise<string> | undefined;
  return {
    folder: path.join(folder, name),
    async start(identity) {
      kubeconfig ??= writeAccountKubeconfig(cluster, namespace, account);
      const port = await freePort();
      const flags = ['--identity', identity, '--port', String(port), '--webhook-url', `https://127.0.0.1:${port}`, '--lease-seconds', '25'];
      const replica = startProgram(program, [...args, ...flags], { cwd: path.join(folder, name), env: { KUBECONFIG: await kubeconfig } });
      replicas.push(replica);
      await replica.says(/serving webhooks/, 60);
      return replica;
    },
    leads: async (replica) => void (await replica.says(/published the webhooks/, 120)),
    leader: () => cluster.run(['get', 'lease', account, '-n', namespace, '-o', 'jsonpath={.spec.holderIdentity}']),
    async stop() {
      await Promise.all(replicas.map((replica) => replica.stop()));
    },
  };
}

/** Waits until kubectl writes what is wanted. */
export async function shows(cluster: TestCluster, args: readonly string[], wanted: RegExp): Promise<void> {
  let last = '';
  const matches = async () => {
    const { stdout, stderr } = await cluster.kubectl(args);
    last = `${stdout}${stderr}`;
    return wanted.test(last);
  };
  await waitFor(`kubectl ${args.join(' ')} to show ${wanted}`, matches, { withinSeconds: 60 }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it shows:\n${last}`, { cause: error });
  });
}
