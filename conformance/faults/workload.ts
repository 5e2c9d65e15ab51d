import { randomInt, type Random } from '../../api/base/random.ts';
import { deployments } from '../../api/resources/apps/v1/deployment.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { services } from '../../api/resources/core/v1/service.ts';
import type { Client } from '../../api/client/client.ts';
import type { Container, PodSpec } from '../../api/types/core-v1.ts';
import { testImages } from '../framework/test-images.ts';

/** Pods of it live through the whole round. */
export const steadyName = 'steady';
/** Behind this Service they come and go. */
export const changingName = 'changing';

const image = { image: testImages.busybox, imagePullPolicy: 'IfNotPresent' } as const;
/** Answers with the Pod's name. */
const server: Container = {
  ...image,
  name: 'server',
  command: ['sh', '-c', 'mkdir /www; hostname > /www/index.html; exec httpd -f -p 8080 -h /www'],
  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
};
const sleeper: Container = { ...image, name: 'sleeper', command: ['sleep', '100000'] };

/** Makes a namespace with two Services and their Pods. */
export async function createWorkload(client: Client, namespace: string): Promise<void> {
  await client(namespaces).create({ metadata: { name: namespace } });
  await client(configMaps).create({ metadata: { namespace, name: 'settings' }, data: { colour: 'blue' } });
  for (const [name, replicas] of [
    [steadyName, 4],
    [changingName, 1],
  ] as const) {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [server] } };
    await client(deployments).create({ metadata: { namespace, name }, spec: { replicas, selector: { matchLabels: labels }, template } });
    await client(services).create({ metadata: { namespace, name }, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } });
  }
}

/** Pods of the kinds that meet different parts of a kubelet. */
function podSpec(random: Random): PodSpec {
  const common = { terminationGracePeriodSeconds: randomInt(random, 3) };
  const kinds: readonly PodSpec[] = [
    { ...common, containers: [sleeper] },
    { ...common, restartPolicy: 'Never', containers: [{ ...sleeper, command: ['sh', '-c', 'sleep 0.3; echo done'] }] },
    {
      ...common,
      initContainers: [{ ...sleeper, name: 'first', command: ['true'] }],
      containers: [
        { ...sleeper, resources: { requests: { cpu: '5m', memory: '8Mi' } } },
        { ...sleeper, name: 'second' },
      ],
    },
    {
      ...common,
      volumes: [
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'scratch', emptyDir: { medium: 'Memory' } },
      ],
      containers: [
        {
          ...sleeper,
          resources: { limits: { cpu: '100m', memory: '32Mi' } },
          volumeMounts: [
            { name: 'settings', mountPath: '/settings' },
            { name: 'scratch', mountPath: '/scratch' },
          ],
        },
      ],
    },
    { ...common, containers: [{ ...server, ports: [{ containerPort: 8080, hostPort: 20_000 + randomInt(random, 5000) }] }] },
    { ...common, hostNetwork: true, containers: [sleeper] },
  ];
  return kinds[randomInt(random, kinds.length)] ?? { containers: [sleeper] };
}

const lanes = 6;

/**
 * Creates and deletes Pods, and scales a Deployment, until the signal is aborted. Requests that fail while the API server is down are
 * skipped. Leaves Pods behind in all states.
 */
export async function churn(client: Client, namespace: string, random: Random, signal: AbortSignal): Promise<number> {
  let created = 0;
  const pause = async (ms: number) => {
    const end = performance.now() + ms;
    while (!signal.aborted && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, Math.min(50, end - performance.now() + 1)));
  };
  const attempt = async (action: () => Promise<unknown>) => {
    try {
      await action();
      return true;
    } catch {
      await pause(200); // the API server is down, or was between the request and the answer
      return false;
    }
  };
  const lane = async (number: number) => {
    for (let turn = 0; !signal.aborted; turn++) {
      const key = { namespace, name: `churn-${number}-${turn}` };
      if (await attempt(() => client(pods).create({ metadata: { ...key, labels: { app: 'churn' } }, spec: podSpec(random) }))) created++;
      await pause(100 + 2000 * random.next());
      if (random.next() < 0.8) await attempt(() => client(pods).delete(key, random.next() < 0.3 ? { gracePeriodSeconds: 0 } : {}));
    }
  };
  const scaling = async () => {
    while (!signal.aborted) {
      const body = { spec: { replicas: randomInt(random, 6) } };
      await attempt(() => client(deployments).patch({ namespace, name: changingName }, { type: 'merge', body }));
      await pause(300 + 1500 * random.next());
    }
  };
  await Promise.all([...Array.from({ length: lanes }, (_, number) => lane(number)), scaling()]);
  return created;
}
