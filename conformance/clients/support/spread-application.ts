import { testImages } from '../../framework/test-images.ts';
import type { TestCluster } from './cluster.ts';

interface PodFacts {
  readonly name: string;
  readonly ip: string;
  readonly node: string;
}

/** Deployment and Service `web`, whose Pods answer with their names, and a Pod on each node to ask from. */
interface SpreadApplication {
  deploy(): Promise<void>;
  clusterIP(): Promise<string>;
  /** The Pods of the Deployment that are not terminating. */
  pods(): Promise<PodFacts[]>;
  /** Their names, sorted. */
  names(): Promise<string[]>;
  /** Names of the Deployment's Pods on a node, whatever their state. */
  podsOn(node: string): Promise<string[]>;
  /** Names of those on a node that are ready. */
  ready(node: string): Promise<string[]>;
  /** Container id and restarts, by Pod. */
  containers(): Promise<Record<string, string>>;
  /** The answer of a URL when asked on a node; undefined while there is none. */
  ask(node: string, url: string): Promise<string | undefined>;
  /** The sorted names of the Pods that answer a number of requests. */
  whoAnswers(node: string, url: string, turns?: number): Promise<string[]>;
}

const askerOn = (node: string) => `asker-${node}`;

export function spreadApplication(theCluster: () => TestCluster, { nodes }: { readonly nodes: readonly string[] }): SpreadApplication {
  const run = (...args: readonly string[]) => theCluster().run(args);
  const select = async (columns: string, ...args: readonly string[]) => {
    const text = await run('get', 'pods', '-l', 'app=web', '-o', `jsonpath={range .items[*]}${columns}{"\\n"}{end}`, ...args);
    return text.split('\n').filter((line) => line !== '');
  };
  const wget = (node: string, script: string) => theCluster().kubectl(['exec', askerOn(node), '--', 'sh', '-c', script]);
  const pods = async () =>
    (await select('{.metadata.name} {.status.podIP} {.spec.nodeName} {.metadata.deletionTimestamp}')).flatMap((line) => {
      const [name = '', ip = '', node = '', ending] = line.split(' ');
      return ending ? [] : [{ name, ip, node }];
    });
  return {
    pods,
    async deploy() {
      await theCluster().run(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects(nodes) }) });
      await run('rollout', 'status', 'deployment/web', '--timeout=40s');
      await run('wait', '--for=condition=Ready', 'pod', '-l', 'app=asker', '--timeout=30s');
    },
    clusterIP: () => run('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}'),
    names: async () => (await pods()).map(({ name }) => name).sort(),
    podsOn: (node) => select('{.metadata.name}', '--field-selector', `spec.nodeName=${node}`),
    async ready(node) {
      const lines = await select(
        '{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}',
        '--field-selector',
        `spec.nodeName=${node}`,
      );
      return lines.flatMap((line) => (line.endsWith(' True') ? line.split(' ').slice(0, 1) : []));
    },
    async containers() {
      const lines = await select('{.metadata.name} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}');
      return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(' ')), line]));
    },
    async ask(node, url) {
      const { code, stdout } = await wget(node, `wget -q -T 3 -O- ${url}`);
      return code === 0 ? stdout.trim() : undefined;
    },
    async whoAnswers(node, url, turns = 30) {
      const { code, stdout, stderr } = await wget(node, `for i in $(seq ${turns}); do wget -q -T 3 -O- ${url} || exit; done`);
      if (code !== 0) throw new Error(`${url} on ${node}: ${stdout}${stderr}`);
      return [...new Set(stdout.trim().split('\n'))].sort();
    },
  };
}

function objects(nodes: readonly string[]): object[] {
  const container = {
    image: testImages.busybox,
    imagePullPolicy: 'IfNotPresent',
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
    name: 'web',
    command: ['sh', '-c', 'echo serving as $HOSTNAME; mkdir /www; hostname > /www/index.html; exec httpd -f -p 8080 -h /www'],
  };
  const away = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 2 });
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 4,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            terminationGracePeriodSeconds: 0,
            tolerations: [away('node.kubernetes.io/unreachable'), away('node.kubernetes.io/not-ready')],
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'DoNotSchedule',
                nodeTaintsPolicy: 'Honor',
                labelSelector: { matchLabels: { app: 'web' } },
              },
            ],
            containers: [container],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    ...nodes.map((node) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: askerOn(node), labels: { app: 'asker' } },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'asker', image: testImages.busybox, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] }],
      },
    })),
  ];
}
