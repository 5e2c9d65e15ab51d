import { waitFor } from '../../../framework/wait-for.ts';
import type { CheckContext } from '../check.ts';
import { expectEqual } from '../../guest/expect.ts';
import { idle, podManifest } from '../pods.ts';

/** The port of every node through which `web` is reached. */
export const webNodePort = 30_080;

/** A Deployment and Service `web`, whose Pods answer with the name of their node, and a Pod `asker-<node>` on each node. */
export function spreadManifest(nodes: readonly string[]): object {
  const serve = 'mkdir -p /www; echo $NODE >/www/index.html; exec httpd -f -p 8080 -h /www';
  const web = {
    name: 'web',
    image: 'busybox:1.37',
    command: ['sh', '-c', serve],
    env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 2, timeoutSeconds: 5 },
  };
  const labels = { app: 'web' };
  const toleration = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10 });
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: nodes.length,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          tolerations: [toleration('node.kubernetes.io/not-ready'), toleration('node.kubernetes.io/unreachable')],
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: labels },
              // Pods of earlier ReplicaSets do not count: those of the present one are spread by themselves.
              matchLabelKeys: ['pod-template-hash'],
            },
          ],
          containers: [web],
        },
      },
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080, nodePort: webNodePort }] },
  };
  const askers = nodes.map((node) =>
    podManifest({
      name: `asker-${node}`,
      script: idle,
      // It waits for its machine, however long that is off.
      spec: { nodeSelector: { 'kubernetes.io/hostname': node }, tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] },
    }),
  );
  return { apiVersion: 'v1', kind: 'List', items: [deployment, service, ...askers] };
}

/** Waits until as many Pods of `web` as are wanted are available. */
export async function untilAvailable({ cluster, seconds }: CheckContext): Promise<void> {
  const { code, stderr } = await cluster.kubectl(['rollout', 'status', 'deployment/web', `--timeout=${seconds(180)}s`], {
    timeoutSeconds: seconds(200),
  });
  if (code !== 0) throw new Error(`${stderr}\n${await cluster.run('get', 'pods', '-o', 'wide')}`);
}

/** The nodes whose Pods answer through the Service's name to a Pod on `node`, and through the NodePort to the machine itself. */
export async function expectAnswersOfAll(context: CheckContext, wanted: readonly string[], askers: readonly string[]): Promise<string> {
  const { cluster, machines, seconds } = context;
  const all = [...wanted].sort().join(' ');
  const turns = 12;
  for (const node of askers) {
    const fromPod = `for i in $(seq ${turns}); do wget -q -T 10 -O- http://web; done`;
    const machine = machines.find(({ name }) => name === node);
    const fromMachine = `for i in $(seq ${turns}); do curl -s -m 10 http://127.0.0.1:${webNodePort} || curl -s -m 10 http://${machine?.address}:${webNodePort}; done`;
    const ask = {
      'the Service': async () =>
        (await cluster.kubectl(['exec', `asker-${node}`, '--', 'sh', '-c', fromPod], { timeoutSeconds: seconds(90) })).stdout,
      'the NodePort': async () => (await machine?.shell.run(fromMachine, { timeoutSeconds: seconds(90) }))?.stdout ?? '',
    };
    for (const [what, answers] of Object.entries(ask)) {
      let last = '';
      await waitFor(
        `answers of ${all}`,
        async () => {
          last = [...new Set((await answers()).trim().split('\n'))].sort().join(' ');
          return last === all;
        },
        { withinSeconds: seconds(60), everyMs: 1000 },
      ).catch(() => expectEqual(`who answers on ${node} through ${what}`, last, all));
    }
  }
  return `${all} answer on ${askers.join(', ')}, through the Service's name and the NodePort`;
}
