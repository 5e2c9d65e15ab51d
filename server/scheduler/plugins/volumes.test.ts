import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../../api/types/core-v1.ts';
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass } from '../../../api/types/storage-v1.ts';
import { createSchedulerCache } from '../cache/scheduler-cache.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import { findNode } from '../framework/find-node.ts';
import { formatFitFailure } from '../framework/fit-error.ts';
import { schedulerPlugins } from './plugins.ts';

const node = (name: string, labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels: { host: name, ...labels } },
  status: { allocatable: { cpu: '4', memory: '4Gi', pods: '110' } },
});
const pod = (volumes: Volume[], name = 'p', nodeName?: string): Pod => ({
  metadata: { name, namespace: 'ns', uid: `uid of ${name}` },
  spec: { containers: [{ name: 'c' }], volumes, ...(nodeName === undefined ? {} : { nodeName }) },
});
const uses = (claimName = 'data'): Volume => ({ name: claimName, persistentVolumeClaim: { claimName } });
const claim = (spec: PersistentVolumeClaim['spec'] = {}, metadata: PersistentVolumeClaim['metadata'] = {}): PersistentVolumeClaim => ({
  metadata: { name: 'data', namespace: 'ns', uid: 'u1', ...metadata },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const bound = (volumeName: string, spec: PersistentVolumeClaim['spec'] = {}, name = 'data') =>
  claim({ volumeName, ...spec }, { name, annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } });
const volume = (name: string, spec: PersistentVolume['spec'] = {}, labels: Record<string, string> = {}): PersistentVolume => ({
  metadata: { name, labels },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, ...spec },
  status: { phase: 'Available' },
});
const at = (...hosts: string[]) => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'host', operator: 'In' as const, values: hosts }] }] } },
});
const late = (provisioner: string, rest: Partial<StorageClass> = {}): StorageClass => ({
  metadata: { name: 'late' },
  provisioner,
  volumeBindingMode: 'WaitForFirstConsumer',
  ...rest,
});
const ofLate = { storageClassName: 'late' };
const csi = (volumeHandle: string) => ({ csi: { driver: 'd', volumeHandle } });

interface Storage {
  readonly claims?: PersistentVolumeClaim[];
  readonly volumes?: PersistentVolume[];
  readonly classes?: StorageClass[];
  readonly drivers?: CSIDriver[];
  readonly csiNodes?: CSINode[];
  readonly capacities?: CSIStorageCapacity[];
  readonly running?: Pod[];
}

function cluster(nodes: Node[], storage: Storage): ClusterState {
  const cache = createSchedulerCache(createManualClock());
  for (const each of nodes) cache.setNode(each);
  for (const each of storage.running ?? []) cache.setPod(each);
  const named = <T extends { metadata: { name?: string } }>(objects: readonly T[] | undefined, name: string) =>
    objects?.find(({ metadata }) => metadata.name === name);
  return {
    nodes: cache.nodes(),
    findNode: cache.findNode,
    nominatedOn: cache.nominatedOn,
    findNamespace: () => undefined,
    findClaim: (_namespace, name) => named(storage.claims, name),
    findVolume: (name) => named(storage.volumes, name),
    volumes: () => storage.volumes ?? [],
    findStorageClass: (name) => named(storage.classes, name),
    findCSIDriver: (name) => named(storage.drivers, name),
    findCSINode: (name) => named(storage.csiNodes, name),
    storageCapacities: () => storage.capacities ?? [],
    findResourceClaim: () => undefined,
    findDeviceClass: () => undefined,
    devicePools: () => ({ poolsOf: () => [] }),
    takenDevices: new Set(),
    isBeingAllocated: () => false,
    selectorsOf: () => [],
  };
}

/** The Pod's node and the storage reserved for it there, or the reason why it has no node. */
function choose(nodes: Node[], wanted: Pod, storage: Storage): string {
  const state = cluster(nodes, storage);
  const found = findNode(schedulerPlugins, wanted, state, createSeededRandom(1));
  if ('failure' in found) return formatFitFailure(found.failure).replace(/^0\/\d nodes are available: /, '');
  const reserved = schedulerPlugins.flatMap((plugin) => plugin.reserve?.(wanted, found.node, state) ?? []);
  const parts = reserved.flatMap((reservation) => {
    if (reservation.kind !== 'volumes') return [];
    const { volumes, claims } = reservation;
    return [
      ...volumes.map(({ after }) => `${after.metadata.name} for ${after.spec?.claimRef?.name}`),
      ...claims.map(({ after }) => `${after.metadata.name} made for ${after.metadata.annotations?.['volume.kubernetes.io/selected-node']}`),
    ];
  });
  return [found.node.name, ...parts].join(', ');
}

describe('scheduling with volumes', () => {
  const both = [node('a'), node('b')];
  const ephemeral: Volume = { name: 'v', ephemeral: { volumeClaimTemplate: { spec: {} } } };
  const cases: [string, Node[], Pod, Storage, string][] = [
    ['waits for a claim', both, pod([uses()]), {}, 'persistentvolumeclaim "data" not found.'],
    [
      'waits for the claim of an ephemeral volume',
      both,
      pod([ephemeral]),
      {},
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v".',
    ],
    [
      'refuses the claim of another as an ephemeral one',
      both,
      pod([ephemeral]),
      { claims: [claim({}, { name: 'p-v' })] },
      'PVC ns/p-v was not created for pod ns/p (pod is not owner).',
    ],
    ['waits for a binding', both, pod([uses()]), { claims: [claim()] }, 'pod has unbound immediate PersistentVolumeClaims.'],
    [
      'refuses a claim that goes',
      both,
      pod([uses()]),
      { claims: [claim({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })] },
      'persistentvolumeclaim "data" is being deleted.',
    ],
    [
      'refuses a lost claim',
      both,
      pod([uses()]),
      { claims: [{ ...bound('x'), status: { phase: 'Lost' } }] },
      'persistentvolumeclaim "data" bound to non-existent persistentvolume "x".',
    ],
    ['goes where the volume is', both, pod([uses()]), { claims: [bound('x')], volumes: [volume('x', at('b'))] }, 'b'],
    [
      'goes nowhere without a node for the volume',
      both,
      pod([uses()]),
      { claims: [bound('x')], volumes: [volume('x', at('c'))] },
      "2 node(s) didn't match PersistentVolume's node affinity.",
    ],
    ['misses the volume', both, pod([uses()]), { claims: [bound('x')] }, 'persistentvolume "x" not found.'],
    [
      'reserves a volume that the node can reach',
      both,
      pod([uses()]),
      { claims: [claim(ofLate)], classes: [late('kubernetes.io/no-provisioner')], volumes: [volume('x', { ...ofLate, ...at('b') })] },
      'b, x for data',
    ],
    [
      'gives the small volume to the small claim',
      [node('a')],
      pod([uses('big'), uses()]),
      {
        claims: [claim(ofLate), claim({ ...ofLate, resources: { requests: { storage: '5Gi' } } }, { name: 'big' })],
        classes: [late('kubernetes.io/no-provisioner')],
        volumes: [volume('x', { ...ofLate, capacity: { storage: '5Gi' } }), volume('y', { ...ofLate, capacity: { storage: '2Gi' } })],
      },
      'a, y for data, x for big',
    ],
    [
      'has no volume and nobody to make one',
      both,
      pod([uses()]),
      { claims: [claim(ofLate)], classes: [late('kubernetes.io/no-provisioner')] },
      "2 node(s) didn't find available persistent volumes to bind.",
    ],
    ['has a volume made', [node('a')], pod([uses()]), { claims: [claim(ofLate)], classes: [late('d')] }, 'a, data made for a'],
    [
      'stays with the node for which one is being made',
      both,
      pod([uses()]),
      { claims: [claim(ofLate, { annotations: { 'volume.kubernetes.io/selected-node': 'b' } })], classes: [late('d')] },
      'b',
    ],
    [
      'obeys the topologies of the class',
      both,
      pod([uses()]),
      {
        claims: [claim(ofLate)],
        classes: [late('d', { allowedTopologies: [{ matchLabelExpressions: [{ key: 'host', values: ['b'] }] }] })],
      },
      'b, data made for b',
    ],
    [
      'looks for free storage',
      both,
      pod([uses()]),
      {
        claims: [claim(ofLate)],
        classes: [late('d')],
        drivers: [{ metadata: { name: 'd' }, spec: { storageCapacity: true } }],
        capacities: [
          { metadata: { name: '1' }, storageClassName: 'late', capacity: '1Mi', nodeTopology: { matchLabels: { host: 'a' } } },
          { metadata: { name: '2' }, storageClassName: 'late', capacity: '1Gi', nodeTopology: { matchLabels: { host: 'b' } } },
        ],
      },
      'b, data made for b',
    ],
    [
      'finds no free storage',
      both,
      pod([uses()]),
      { claims: [claim(ofLate)], classes: [late('d')], drivers: [{ metadata: { name: 'd' }, spec: { storageCapacity: true } }] },
      '2 node(s) did not have enough free storage.',
    ],
    [
      'stays in the zones of a volume',
      [node('a', { 'topology.kubernetes.io/zone': 'z1' }), node('b', { 'topology.kubernetes.io/zone': 'z3' })],
      pod([uses()]),
      { claims: [bound('x')], volumes: [volume('x', {}, { 'failure-domain.beta.kubernetes.io/zone': 'z2__z3' })] },
      'b',
    ],
    [
      'finds no zone',
      [node('a', { 'topology.kubernetes.io/zone': 'z1' })],
      pod([uses()]),
      { claims: [bound('x')], volumes: [volume('x', {}, { 'topology.kubernetes.io/zone': 'z2' })] },
      '1 node(s) had no available volume zone.',
    ],
    [
      'leaves a claim that only one may use',
      both,
      pod([uses()]),
      { claims: [bound('x', { accessModes: ['ReadWriteOncePod'] })], volumes: [volume('x')], running: [pod([uses()], 'q', 'a')] },
      '2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.',
    ],
    [
      'does not mount a disk twice',
      both,
      pod([{ name: 'v', gcePersistentDisk: { pdName: 'disk' } }]),
      { running: [pod([{ name: 'v', gcePersistentDisk: { pdName: 'disk', readOnly: true } }], 'q', 'a')] },
      'b',
    ],
    [
      'obeys the limits of drivers',
      both,
      pod([uses()]),
      {
        claims: [bound('x'), bound('y', {}, 'other')],
        volumes: [volume('x', csi('1')), volume('y', csi('2'))],
        csiNodes: [{ metadata: { name: 'a' }, spec: { drivers: [{ name: 'd', nodeID: 'a', allocatable: { count: 1 } }] } }],
        running: [pod([uses('other')], 'q', 'a')],
      },
      'b',
    ],
    [
      'counts a volume once, and one that is to be made too',
      [node('a')],
      pod([uses(), uses('other'), uses('new')]),
      {
        claims: [bound('x'), bound('x', {}, 'other'), claim(ofLate, { name: 'new' })],
        classes: [late('d')],
        volumes: [volume('x', csi('1'))],
        csiNodes: [{ metadata: { name: 'a' }, spec: { drivers: [{ name: 'd', nodeID: 'a', allocatable: { count: 1 } }] } }],
      },
      '1 node(s) exceed max volume count.',
    ],
  ];
  for (const [says, nodes, wanted, storage, expected] of cases) it(says, () => assert.equal(choose(nodes, wanted, storage), expected));
});
