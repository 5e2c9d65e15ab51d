import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';
import { namespaces } from '../seed-objects.ts';

type Fields = Readonly<Record<string, unknown>>;

const podFields: readonly Fields[] = [
  { hostPID: true },
  { hostIPC: true },
  { hostNetwork: true },
  { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
  {
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'w', nfs: { server: 'x', path: '/' } },
    ],
  },
  { volumes: [{ name: 'v', configMap: { name: 'x' } }] },
  { securityContext: { runAsNonRoot: true } },
  { securityContext: { runAsUser: 0 } },
  { securityContext: { runAsUser: 1000 } },
  { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
  { securityContext: { seccompProfile: { type: 'Unconfined' } } },
  { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
  { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } },
  {
    securityContext: {
      sysctls: [
        { name: 'kernel.msgmax', value: '1' },
        { name: 'net.core.somaxconn', value: '1' },
      ],
    },
  },
  { securityContext: { seLinuxOptions: { type: 'spc_t', user: 'x' } } },
  { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
  { os: { name: 'windows' } },
  { hostUsers: false },
  { runtimeClassName: 'x' },
];
const containerFields: readonly Fields[] = [
  {},
  { securityContext: { privileged: true } },
  { securityContext: { allowPrivilegeEscalation: false } },
  { securityContext: { allowPrivilegeEscalation: true } },
  { securityContext: { capabilities: { drop: ['ALL'] } } },
  { securityContext: { capabilities: { add: ['NET_ADMIN', 'SYS_TIME'], drop: ['ALL'] } } },
  { securityContext: { capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] }, allowPrivilegeEscalation: false, runAsNonRoot: true } },
  {
    securityContext: {
      capabilities: { drop: ['ALL'] },
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  },
  { securityContext: { procMount: 'Unmasked' } },
  { securityContext: { runAsUser: 0 } },
  { securityContext: { runAsNonRoot: false } },
  { securityContext: { windowsOptions: { hostProcess: true } } },
  { securityContext: { seLinuxOptions: { type: 'container_t' } } },
  { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'x' } } },
  {
    ports: [
      { containerPort: 80, hostPort: 80 },
      { containerPort: 81, hostPort: 81 },
    ],
  },
  { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } },
  { lifecycle: { preStop: { httpGet: { port: 80, host: 'x' } } } },
];
const annotations: readonly Fields[] = [
  {},
  {},
  {},
  {},
  { 'container.apparmor.security.beta.kubernetes.io/c0': 'unconfined' },
  { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
];
const levels = ['privileged', 'baseline', 'restricted', 'x', ''];
const versions = ['latest', 'v1.0', 'v1.20', 'v1.25', 'v1.32', 'v1.99', 'x', '1.25', ''];

function podSpec(random: Random): Fields {
  let spec: Fields = {};
  for (let left = randomInt(random, 3); left > 0; left--) {
    const field = oneOf(random, podFields);
    const both = { ...(spec['securityContext'] as Fields | undefined), ...(field['securityContext'] as Fields | undefined) };
    spec = { ...spec, ...field, ...(Object.keys(both).length > 0 ? { securityContext: both } : {}) };
  }
  const containers = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => ({ name: `${prefix}${index}`, image: 'pause', ...oneOf(random, containerFields) }));
  const initContainers = randomInt(random, 4) === 0 ? { initContainers: containers(1, 'i') } : {};
  return { containers: containers(1 + randomInt(random, 2), 'c'), ...initContainers, ...spec };
}

const places = Object.keys(namespaces);
const workloads = [
  ['apps/v1', 'Deployment', 'deployments'],
  ['apps/v1', 'StatefulSet', 'statefulsets'],
  ['batch/v1', 'Job', 'jobs'],
  ['batch/v1', 'CronJob', 'cronjobs'],
  ['v1', 'ReplicationController', 'replicationcontrollers'],
  ['v1', 'PodTemplate', 'podtemplates'],
] as const;

function workloadRequest(random: Random): Omit<DifferentialRequest, 'part' | 'as'> {
  const [apiVersion, kind, plural] = oneOf(random, workloads);
  const labels = { app: 'x' };
  const isJob = kind.endsWith('Job');
  const template = { metadata: { labels }, spec: { ...podSpec(random), ...(isJob ? { restartPolicy: 'Never' } : {}) } };
  const job = { template };
  const specs: Readonly<Record<string, Fields>> = {
    Job: { spec: job },
    CronJob: { spec: { schedule: '* * * * *', jobTemplate: { spec: job } } },
    PodTemplate: { template },
    ReplicationController: { spec: { selector: labels, template } },
  };
  const content = specs[kind] ?? { spec: { selector: { matchLabels: labels }, serviceName: 'x', template } };
  const { serviceName: _, ...withoutName } = (content['spec'] ?? {}) as Fields;
  const body = { apiVersion, kind, metadata: { name: 'fresh' }, ...content, ...(kind === 'Deployment' ? { spec: withoutName } : {}) };
  const prefix = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return { method: 'POST', path: `${prefix}/namespaces/${oneOf(random, places)}/${plural}?dryRun=All`, body };
}

/** Pods, workloads and labels of namespaces under the Pod Security Standards. */
export function* podSecurityRequests(random: Random, count: number): Generator<DifferentialRequest> {
  for (let made = 0; made < count; made++) {
    const common = { part: 'pod-security', as: oneOf(random, ['admin', 'admin', 'admin', 'alice', 'deployer']) };
    const choice = randomInt(random, 6);
    if (choice < 4) {
      const metadata = { name: 'fresh', annotations: oneOf(random, annotations) };
      const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(random) };
      yield { ...common, method: 'POST', path: `/api/v1/namespaces/${oneOf(random, places)}/pods?dryRun=All`, body };
    } else if (choice === 4) {
      yield { ...common, ...workloadRequest(random) };
    } else {
      const mode = oneOf(random, ['enforce', 'audit', 'warn']);
      const labels = {
        [`pod-security.kubernetes.io/${mode}`]: oneOf(random, levels),
        ...(randomInt(random, 2) === 0 ? { [`pod-security.kubernetes.io/${mode}-version`]: oneOf(random, versions) } : {}),
      };
      const body = { metadata: { labels } };
      yield {
        ...common,
        as: 'admin',
        method: 'PATCH',
        path: `/api/v1/namespaces/${oneOf(random, places)}?dryRun=All`,
        contentType: 'application/merge-patch+json',
        body,
      };
    }
  }
}
