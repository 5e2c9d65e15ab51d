import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';

interface Kind {
  readonly prefix: string;
  readonly plural: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly isNamespaced: boolean;
  readonly names: readonly string[];
  readonly subresources: readonly string[];
  readonly body?: object;
}

function kindOf(apiVersion: string, plural: string, kind: string, names: string[], more: Partial<Kind> = {}): Kind {
  const prefix = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return { prefix, plural, kind, apiVersion, isNamespaced: true, names, subresources: [], ...more };
}

const cluster = { isNamespaced: false };
const podSpec = { containers: [{ name: 'main', image: 'pause' }] };
const template = { metadata: { labels: { app: 'x' } }, spec: podSpec };
const workload = { spec: { selector: { matchLabels: { app: 'x' } }, template } };

const accessKinds: readonly Kind[] = [
  kindOf('v1', 'pods', 'Pod', ['web-1', 'web-2', 'nowhere'], {
    subresources: ['status', 'log', 'eviction', 'binding', 'ephemeralcontainers', 'resize', 'exec', 'attach', 'portforward', 'proxy', 'x'],
    body: { spec: podSpec },
  }),
  kindOf('v1', 'secrets', 'Secret', ['one', 'two', 'unused', 'nowhere']),
  kindOf('v1', 'configmaps', 'ConfigMap', ['one-map', 'two-map', 'nowhere']),
  kindOf('v1', 'services', 'Service', ['nowhere'], {
    subresources: ['status', 'proxy'],
    body: { spec: { ports: [{ port: 80 }] } },
  }),
  kindOf('v1', 'serviceaccounts', 'ServiceAccount', ['default', 'robot', 'nowhere'], { subresources: ['token'] }),
  kindOf('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', ['claim-1'], { subresources: ['status'] }),
  kindOf('v1', 'endpoints', 'Endpoints', ['nowhere']),
  kindOf('v1', 'events', 'Event', ['nowhere']),
  kindOf('v1', 'replicationcontrollers', 'ReplicationController', ['nowhere'], { subresources: ['scale', 'status'] }),
  kindOf('v1', 'limitranges', 'LimitRange', ['nowhere']),
  kindOf('v1', 'resourcequotas', 'ResourceQuota', ['nowhere'], { subresources: ['status'] }),
  kindOf('v1', 'nodes', 'Node', ['node-1', 'node-2', 'nowhere'], { ...cluster, subresources: ['status', 'proxy'] }),
  kindOf('v1', 'namespaces', 'Namespace', ['team-a', 'kube-system', 'nowhere'], { ...cluster, subresources: ['status', 'finalize'] }),
  kindOf('v1', 'persistentvolumes', 'PersistentVolume', ['volume-1'], { ...cluster, subresources: ['status'] }),
  kindOf('v1', 'componentstatuses', 'ComponentStatus', ['etcd-0'], cluster),
  kindOf('apps/v1', 'deployments', 'Deployment', ['nowhere'], { subresources: ['scale', 'status'], body: workload }),
  kindOf('apps/v1', 'daemonsets', 'DaemonSet', ['nowhere'], { subresources: ['status'], body: workload }),
  kindOf('batch/v1', 'jobs', 'Job', ['nowhere'], {
    subresources: ['status'],
    body: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
  }),
  kindOf('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget', ['nowhere'], { subresources: ['status'] }),
  kindOf('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy', ['nowhere'], { body: { spec: { podSelector: {} } } }),
  kindOf('coordination.k8s.io/v1', 'leases', 'Lease', ['nowhere']),
  kindOf('rbac.authorization.k8s.io/v1', 'roles', 'Role', ['named', 'nowhere']),
  kindOf('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole', ['team-view', 'nowhere'], cluster),
  kindOf('rbac.authorization.k8s.io/v1', 'clusterrolebindings', 'ClusterRoleBinding', ['nowhere'], cluster),
  kindOf('certificates.k8s.io/v1', 'certificatesigningrequests', 'CertificateSigningRequest', ['nowhere'], {
    ...cluster,
    subresources: ['status', 'approval'],
  }),
  kindOf('storage.k8s.io/v1', 'csinodes', 'CSINode', ['node-1', 'node-2'], cluster),
  kindOf('storage.k8s.io/v1', 'volumeattachments', 'VolumeAttachment', ['nowhere'], { ...cluster, subresources: ['status'] }),
  kindOf('node.k8s.io/v1', 'runtimeclasses', 'RuntimeClass', ['nowhere'], { ...cluster, body: { handler: 'x' } }),
  kindOf('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass', ['system-node-critical', 'nowhere'], {
    ...cluster,
    body: { value: 1 },
  }),
  kindOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', ['nowhere'], cluster),
  kindOf('flowcontrol.apiserver.k8s.io/v1', 'flowschemas', 'FlowSchema', ['exempt', 'nowhere'], { ...cluster, subresources: ['status'] }),
];

const users = [
  'anonymous',
  'bootstrap',
  'robot',
  'robot-pod',
  'deployer',
  'alice',
  'alice',
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'eve',
  'eve',
  'system:node:node-1',
  'system:node:node-1',
  'system:node:node-2',
  'system:node:node-9',
  'node-outside',
  'system:kube-scheduler',
  'system:kube-controller-manager',
  'admin',
  'admin',
  'legacy',
  'robot-aud',
];
const places = ['team-a', 'team-a', 'team-a', 'team-b', 'kube-system', 'nowhere'];
const dryRuns = [
  'dryRun=All',
  'dryRun=All',
  'dryRun=All',
  'dryRun=All&dryRun=All',
  'dryRun=all',
  'dryRun=',
  'dryRun=All&fieldValidation=Strict',
  'dryRun=All&fieldManager=x',
  'dryRun=All&fieldValidation=x',
];
const patches = [
  ['application/merge-patch+json', { metadata: { labels: { a: 'b' } } }],
  ['application/strategic-merge-patch+json', { metadata: { annotations: { a: 'b' } } }],
  ['application/json-patch+json', [{ op: 'test', path: '/metadata/name', value: 'x' }]],
  [
    'application/merge-patch+json',
    { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x', blockOwnerDeletion: true }] } },
  ],
  ['application/merge-patch+json', 'null'],
  ['text/plain', '{}'],
] as const;

/** Every verb on every kind by everybody. Writes are dry runs. */
export function* accessRequests(random: Random, count: number): Generator<DifferentialRequest> {
  for (let made = 0; made < count; made++) {
    const kind = oneOf(random, accessKinds);
    const namespace = oneOf(random, places);
    const isEverywhere = !kind.isNamespaced || randomInt(random, 8) === 0;
    const collection = `${kind.prefix}${isEverywhere ? '' : `/namespaces/${namespace}`}/${kind.plural}`;
    const name = oneOf(random, kind.names);
    const subresource = kind.subresources.length > 0 && randomInt(random, 3) === 0 ? `/${oneOf(random, kind.subresources)}` : '';
    const one = `${collection}/${name}${subresource}`;
    const dryRun = oneOf(random, dryRuns);
    const common = { part: 'access', as: oneOf(random, users) };
    const body = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name }, ...kind.body };
    switch (randomInt(random, 9)) {
      case 0:
        yield { ...common, method: 'GET', path: collection };
        break;
      case 1:
        yield { ...common, method: 'GET', path: `${collection}?watch=true&timeoutSeconds=1&resourceVersion=0` };
        break;
      case 2:
        yield { ...common, method: 'POST', path: `${subresource === '' ? collection : one}?${dryRun}`, body };
        break;
      case 3:
        yield { ...common, method: 'PUT', path: `${one}?${dryRun}`, body };
        break;
      case 4: {
        const [contentType, patch] = oneOf(random, patches);
        yield { ...common, method: 'PATCH', path: `${one}?${dryRun}`, contentType, body: patch };
        break;
      }
      case 5:
        yield { ...common, method: 'DELETE', path: `${one}?dryRun=All` };
        break;
      case 6:
        yield { ...common, method: 'DELETE', path: `${collection}?dryRun=All` };
        break;
      case 7:
        yield { ...common, method: 'GET', path: `${collection}?fieldSelector=metadata.name%3D${name}` };
        break;
      default:
        yield { ...common, method: oneOf(random, ['GET', 'GET', 'HEAD']), path: one };
    }
  }
}
