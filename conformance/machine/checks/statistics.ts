import { waitFor } from '../../framework/wait-for.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectThat } from '../guest/expect.ts';

export const statistics: CheckTopic = {
  topic: 'statistics',
  checks: [
    { name: '/stats/summary has pressure stall information of node, Pods and containers', run: pressureIsTold },
    { name: '/metrics/resource and /metrics/cadvisor have no series twice', run: seriesAreUnique },
    { name: 'kubectl top shows node and Pods', run: topWorks },
  ],
};

interface Pressure {
  readonly psi?: { readonly some?: object; readonly full?: object };
}
interface Summary {
  readonly node: { readonly cpu?: Pressure; readonly memory?: Pressure; readonly io?: Pressure };
  readonly pods: readonly {
    readonly podRef: { readonly name: string };
    readonly cpu?: Pressure;
    readonly containers?: readonly { readonly name: string; readonly cpu?: Pressure; readonly memory?: Pressure; readonly io?: Pressure }[];
  }[];
}

const ofNode = (pathOfKubelet: string): string => `/api/v1/nodes/node1/proxy${pathOfKubelet}`;

async function pressureIsTold({ cluster }: CheckContext): Promise<string> {
  const { node, pods } = JSON.parse(await cluster.run('get', '--raw', ofNode('/stats/summary'))) as Summary;
  for (const what of ['cpu', 'memory', 'io'] as const) expectThat(node[what]?.psi?.some !== undefined, `node.${what}.psi.some is missing`);
  expectThat(pods.length > 0, 'there is no Pod in the summary');
  for (const { podRef, cpu, containers = [] } of pods) {
    expectThat(cpu?.psi !== undefined, `cpu.psi of Pod ${podRef.name} is missing`);
    for (const container of containers)
      expectThat(container.memory?.psi !== undefined, `memory.psi of container ${podRef.name}/${container.name} is missing`);
  }
  const names = pods.flatMap(({ podRef, containers = [] }) => containers.map(({ name }) => `${podRef.name}/${name}`));
  expectEqual('the number of containers that are listed twice', names.length - new Set(names).size, 0);
  return `node, ${pods.length} Pods, ${names.length} containers`;
}

async function seriesAreUnique({ cluster }: CheckContext): Promise<string> {
  const counts: string[] = [];
  for (const file of ['/metrics/resource', '/metrics/cadvisor']) {
    const text = await cluster.run('get', '--raw', ofNode(file));
    const duplicates = findDuplicateSeries(text);
    expectEqual(`what ${file} has twice`, duplicates.slice(0, 3).join(', '), '');
    counts.push(`${file} ${text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length} series`);
  }
  return counts.join(', ');
}

/** The series, by name and labels, that are in a text of the Prometheus format more than once. */
export function findDuplicateSeries(text: string): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const end = line.lastIndexOf('}');
    const series = end >= 0 ? line.slice(0, end + 1) : (line.split(' ')[0] ?? '');
    if (seen.has(series)) twice.add(series);
    seen.add(series);
  }
  return [...twice];
}

async function topWorks({ cluster, seconds }: CheckContext): Promise<string> {
  let last = '';
  const top = (...args: readonly string[]) =>
    waitFor(
      `kubectl top ${args.join(' ')}`,
      async () => {
        const { code, stdout, stderr } = await cluster.kubectl(['top', ...args, '--no-headers']);
        last = stderr;
        return code === 0 && stdout.trim() !== '' && stdout.trim();
      },
      { withinSeconds: seconds(60), everyMs: 1000 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${last}`, { cause: error });
    });
  const node = await top('nodes');
  const pods = await top('pods', '-n', 'guestbook');
  return `${node.split(/\s+/).slice(0, 4).join(' ')}; ${pods.split('\n').length} Pods of the guestbook`;
}
