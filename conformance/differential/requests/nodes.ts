import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';

const askers = [
  'system:node:node-1',
  'system:node:node-1',
  'system:node:node-1',
  'system:node:node-2',
  'system:node:node-9',
  'system:node:',
  'node-outside',
];
const merge = 'application/merge-patch+json';
const label = (name: string, value: string | null = 'x') => ({ metadata: { labels: { [name]: value } } });

const nodeChanges = [
  label('a'),
  label('kubernetes.io/hostname'),
  label('kubernetes.io/x'),
  label('node.kubernetes.io/x'),
  label('kubelet.kubernetes.io/x'),
  label('node-role.kubernetes.io/x'),
  label('node-restriction.kubernetes.io/x'),
  label('x.node-restriction.kubernetes.io/x'),
  label('topology.kubernetes.io/zone'),
  label('beta.kubernetes.io/os'),
  label('x.k8s.io/x'),
  label('zone', null),
  { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } },
  { spec: { unschedulable: true } },
  { spec: { podCIDR: '10.1.0.0/24' } },
  { spec: { configSource: { configMap: { name: 'x', namespace: 'x', kubeletConfigKey: 'x' } } } },
  { spec: { providerID: 'x' } },
  { status: { conditions: [] } },
  { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'x' }] } },
  { metadata: { annotations: { a: 'b' } } },
  { metadata: { finalizers: ['x/y'] } },
];
const mirror = { 'kubernetes.io/config.mirror': 'x' };
const owner = { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: '{{uid:nodes/node-1}}', controller: true }] };
const containers = [{ name: 'main', image: 'pause' }];
const podBodies = [
  { metadata: { annotations: mirror, ...owner }, spec: { nodeName: 'node-1', containers } },
  { metadata: { annotations: mirror }, spec: { nodeName: 'node-1', containers } },
  { metadata: { annotations: mirror, ...owner }, spec: { nodeName: 'node-2', containers } },
  { metadata: { ...owner }, spec: { nodeName: 'node-1', containers } },
  { metadata: { annotations: mirror, ...owner }, spec: { nodeName: 'node-1', containers, serviceAccountName: 'robot' } },
  {
    metadata: { annotations: mirror, ...owner },
    spec: { nodeName: 'node-1', containers: [{ ...containers[0], envFrom: [{ secretRef: { name: 'one' } }] }] },
  },
  {
    metadata: { annotations: mirror, ...owner },
    spec: { nodeName: 'node-1', containers, volumes: [{ name: 'v', configMap: { name: 'x' } }] },
  },
  {
    metadata: { annotations: mirror, ...owner },
    spec: { nodeName: 'node-1', containers, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'claim-1' } }] },
  },
  {
    metadata: { annotations: mirror, ...owner },
    spec: { nodeName: 'node-1', containers, resourceClaims: [{ name: 'c', resourceClaimName: 'x' }] },
  },
  {
    metadata: { annotations: mirror, ownerReferences: [{ ...owner.ownerReferences[0], name: 'node-2' }] },
    spec: { nodeName: 'node-1', containers },
  },
  {
    metadata: { annotations: mirror, ownerReferences: [{ ...owner.ownerReferences[0], blockOwnerDeletion: true }] },
    spec: { nodeName: 'node-1', containers },
  },
];
const reads = [
  '/api/v1/namespaces/team-a/secrets/one',
  '/api/v1/namespaces/team-a/secrets/two',
  '/api/v1/namespaces/team-a/secrets/unused',
  '/api/v1/namespaces/team-a/secrets/nowhere',
  '/api/v1/namespaces/team-a/secrets',
  '/api/v1/namespaces/team-a/secrets?fieldSelector=metadata.name%3Done',
  '/api/v1/namespaces/team-a/secrets?fieldSelector=metadata.name%3Done&watch=true&timeoutSeconds=1',
  '/api/v1/namespaces/team-a/configmaps/one-map',
  '/api/v1/namespaces/team-a/configmaps/two-map',
  '/api/v1/namespaces/team-a/persistentvolumeclaims/claim-1',
  '/api/v1/persistentvolumes/volume-1',
  '/api/v1/persistentvolumes',
  '/api/v1/namespaces/team-a/serviceaccounts/robot',
  '/api/v1/namespaces/team-a/serviceaccounts',
  '/api/v1/services',
  '/api/v1/namespaces/team-a/events',
  '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1',
  '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-2',
  '/apis/coordination.k8s.io/v1/namespaces/team-a/leases/node-1',
  '/apis/storage.k8s.io/v1/csinodes/node-1',
  '/apis/storage.k8s.io/v1/csinodes/node-2',
  '/apis/storage.k8s.io/v1/csidrivers',
  '/apis/storage.k8s.io/v1/volumeattachments',
  '/apis/node.k8s.io/v1/runtimeclasses',
  '/apis/apps/v1/deployments',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles',
];
const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec: {} });
const csiNode = (name: string) => ({ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name }, spec: { drivers: [] } });
const podStatuses = [
  { status: { phase: 'Running' } },
  { metadata: { labels: { a: 'b' } }, status: { phase: 'Running' } },
  { status: { resourceClaimStatuses: [{ name: 'x' }] } },
  { spec: { nodeName: 'node-2' }, status: { phase: 'Failed' } },
  { status: { qosClass: 'Guaranteed' } },
];

type Sent = Omit<DifferentialRequest, 'part' | 'as'>;

function requestOf(random: Random): Sent {
  const node = oneOf(random, ['node-1', 'node-2', 'node-3']);
  const pod = oneOf(random, ['web-1', 'web-2', 'nowhere']);
  const pods = `/api/v1/namespaces/${oneOf(random, ['team-a', 'team-a', 'team-b'])}/pods`;
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${oneOf(random, ['kube-node-lease', 'kube-node-lease', 'team-a'])}/leases`;
  const dry = '?dryRun=All';
  switch (randomInt(random, 13)) {
    case 0:
    case 1:
      return {
        method: 'PATCH',
        path: `/api/v1/nodes/${node}${oneOf(random, ['', '/status'])}${dry}`,
        contentType: merge,
        body: oneOf(random, nodeChanges),
      };
    case 2: {
      const { metadata, ...rest } = oneOf(random, nodeChanges) as { metadata?: object };
      return {
        method: 'POST',
        path: `/api/v1/nodes${dry}`,
        body: { apiVersion: 'v1', kind: 'Node', metadata: { name: node, ...metadata }, ...rest },
      };
    }
    case 3:
      return { method: 'DELETE', path: `/api/v1/nodes/${node}${dry}` };
    case 4: {
      const { metadata, spec } = oneOf(random, podBodies);
      return {
        method: 'POST',
        path: `${pods}${dry}`,
        body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'fresh', ...metadata }, spec },
      };
    }
    case 5:
      return { method: 'DELETE', path: `${pods}/${pod}${dry}` };
    case 6:
      return { method: 'PATCH', path: `${pods}/${pod}/status${dry}`, contentType: merge, body: oneOf(random, podStatuses) };
    case 7: {
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: oneOf(random, [pod, pod, 'web-2', '']) } };
      return { method: 'POST', path: `${pods}/${pod}/eviction${dry}`, body };
    }
    case 8:
      return oneOf(random, [
        { method: 'POST', path: `${leases}${dry}`, body: lease(oneOf(random, ['node-1', 'node-3', ''])) },
        { method: 'PUT', path: `${leases}/node-1${dry}`, body: lease('node-1') },
        { method: 'DELETE', path: `${leases}/node-1${dry}` },
      ]);
    case 9:
      return oneOf(random, [
        { method: 'POST', path: `/apis/storage.k8s.io/v1/csinodes${dry}`, body: csiNode(node) },
        { method: 'DELETE', path: `/apis/storage.k8s.io/v1/csinodes/${node}${dry}` },
      ]);
    case 10: {
      const path = `/api/v1/namespaces/team-a/persistentvolumeclaims/claim-1/status${dry}`;
      return {
        method: 'PATCH',
        path,
        contentType: merge,
        body: { status: oneOf(random, [{ capacity: { storage: '2Gi' } }, { phase: 'Lost' }, { conditions: [] }]) },
      };
    }
    default:
      return { method: 'GET', path: oneOf(random, reads) };
  }
}

/** Requests of nodes about themselves, about each other, and about objects of other nodes. */
export function* nodeRequests(random: Random, count: number): Generator<DifferentialRequest> {
  for (let made = 0; made < count; made++) yield { part: 'nodes', as: oneOf(random, askers), ...requestOf(random) };
}
