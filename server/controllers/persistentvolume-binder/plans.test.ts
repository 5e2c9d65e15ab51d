import assert from 'node:assert/strict';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import type { StorageClass } from '../../../api/types/storage-v1.ts';
import { planClaim } from './claim-plan.ts';
import { findReclaimFailure, planVolume } from './volume-plan.ts';
import { claimStatus } from './write-binding.ts';

type Annotations = Record<string, string>;
const bound = { 'pv.kubernetes.io/bind-completed': 'yes' };
const claim = (spec: PersistentVolumeClaim['spec'] = {}, annotations: Annotations = {}): PersistentVolumeClaim => ({
  metadata: { namespace: 'ns', name: 'data', uid: 'u1', annotations },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const volume = (name: string, spec: PersistentVolume['spec'] = {}, annotations: Annotations = {}): PersistentVolume => ({
  metadata: { name, annotations },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, ...spec },
  status: { phase: 'Available' },
});
const refersTo = (name: string, uid?: string) => ({ claimRef: { namespace: 'ns', name, ...(uid === undefined ? {} : { uid }) } });
const storageClass = (name: string, rest: Partial<StorageClass> = {}): StorageClass => ({
  metadata: { name },
  provisioner: 'example.com/disk',
  volumeBindingMode: 'Immediate',
  ...rest,
});
const late = { volumeBindingMode: 'WaitForFirstConsumer' as const };

interface Case {
  readonly says: string;
  readonly claim: PersistentVolumeClaim;
  readonly volumes?: PersistentVolume[];
  readonly classes?: StorageClass[];
  readonly pods?: string[];
  readonly plan: string;
}

function planned({ claim: one, volumes = [], classes = [], pods = [] }: Case): string {
  const plan = planClaim(one, {
    findVolume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    volumes: () => volumes,
    findClass: (name) => classes.find(({ metadata }) => metadata.name === name),
    classes: () => classes,
    waitingPods: () => pods,
  });
  switch (plan.do) {
    case 'bind':
      return `bind ${plan.volume.metadata.name}`;
    case 'assignClass':
      return `assign ${plan.className}`;
    case 'provision':
      return `provision by ${plan.provisioner}`;
    case 'wait':
      return plan.event === undefined ? 'wait' : `wait${plan.isBroken ? ' broken' : ''}: ${plan.event.reason} ${plan.event.message}`;
    case 'lose':
      return `lose: ${plan.event.reason}`;
  }
}

describe('planClaim', () => {
  const cases: Case[] = [
    { says: 'binds to what matches', claim: claim(), volumes: [volume('a')], plan: 'bind a' },
    {
      says: 'waits without class and volume',
      claim: claim({ storageClassName: '' }),
      plan: 'wait: FailedBinding no persistent volumes available for this claim and no storage class is set',
    },
    {
      says: 'gives the default class later',
      claim: claim(),
      classes: [storageClass('std', { metadata: { name: 'std', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })],
      plan: 'assign std',
    },
    {
      says: 'asks the provisioner',
      claim: claim({ storageClassName: 's' }),
      classes: [storageClass('s')],
      plan: 'provision by example.com/disk',
    },
    {
      says: 'misses the class',
      claim: claim({ storageClassName: 's' }),
      plan: 'wait: ProvisioningFailed storageclass.storage.k8s.io "s" not found',
    },
    {
      says: 'has no provisioners of its own',
      claim: claim({ storageClassName: 's' }),
      classes: [storageClass('s', { provisioner: 'kubernetes.io/no-provisioner' })],
      plan: 'wait: ProvisioningFailed no volume plugin matched name: kubernetes.io/no-provisioner',
    },
    {
      says: 'waits for a first consumer, whatever there is',
      claim: claim({ storageClassName: 's' }),
      classes: [storageClass('s', late)],
      volumes: [volume('a', { storageClassName: 's' })],
      plan: 'wait: WaitForFirstConsumer waiting for first consumer to be created before binding',
    },
    {
      says: 'waits for the pod to be scheduled',
      claim: claim({ storageClassName: 's' }),
      classes: [storageClass('s', late)],
      pods: ['p'],
      plan: 'wait: WaitForPodScheduled waiting for pod p to be scheduled',
    },
    {
      says: 'waits for several pods',
      claim: claim({ storageClassName: 's' }),
      classes: [storageClass('s', late)],
      pods: ['p', 'q'],
      plan: 'wait: WaitForPodScheduled waiting for pods p,q to be scheduled',
    },
    {
      says: 'asks the provisioner once a node is chosen',
      claim: claim({ storageClassName: 's' }, { 'volume.kubernetes.io/selected-node': 'n' }),
      classes: [storageClass('s', late)],
      plan: 'provision by example.com/disk',
    },
    {
      says: 'completes what the scheduler has begun',
      claim: claim({ storageClassName: 's' }),
      classes: [storageClass('s', late)],
      volumes: [volume('a', { storageClassName: 's', ...refersTo('data', 'u1') })],
      plan: 'bind a',
    },
    { says: 'waits for the volume it names', claim: claim({ volumeName: 'a' }), plan: 'wait' },
    { says: 'takes the volume it names', claim: claim({ volumeName: 'a' }), volumes: [volume('a')], plan: 'bind a' },
    {
      says: 'refuses the volume it names if that does not fit',
      claim: claim({ volumeName: 'a' }),
      volumes: [volume('a', { capacity: { storage: '1Mi' } })],
      plan: 'wait: VolumeMismatch Cannot bind to requested volume "a": requested PV is too small',
    },
    {
      says: 'takes the volume that names it, however small',
      claim: claim({ volumeName: 'a' }),
      volumes: [volume('a', { ...refersTo('data'), capacity: { storage: '1Mi' } })],
      plan: 'bind a',
    },
    {
      says: 'waits for a volume that another has',
      claim: claim({ volumeName: 'a' }),
      volumes: [volume('a', refersTo('other'))],
      plan: 'wait: FailedBinding volume "a" already bound to a different claim.',
    },
    {
      says: 'complains if it had been bound there',
      claim: claim({ volumeName: 'a' }, { 'pv.kubernetes.io/bound-by-controller': 'yes' }),
      volumes: [volume('a', refersTo('other'))],
      plan: 'wait broken: FailedBinding volume "a" already bound to a different claim.',
    },
    { says: 'stays bound', claim: claim({ volumeName: 'a' }, bound), volumes: [volume('a', refersTo('data', 'u1'))], plan: 'bind a' },
    { says: 'binds again what came loose', claim: claim({ volumeName: 'a' }, bound), volumes: [volume('a')], plan: 'bind a' },
    { says: 'is lost without its volume', claim: claim({ volumeName: 'a' }, bound), plan: 'lose: ClaimLost' },
    { says: 'is lost without a name', claim: claim({}, bound), plan: 'lose: ClaimLost' },
    {
      says: 'is lost if another has the volume',
      claim: claim({ volumeName: 'a' }, bound),
      volumes: [volume('a', refersTo('data', 'u0'))],
      plan: 'lose: ClaimMisbound',
    },
  ];
  for (const one of cases) it(one.says, () => assert.equal(planned(one), one.plan));
});

describe('planVolume', () => {
  const made = { 'pv.kubernetes.io/provisioned-by': 'example.com/disk' };
  const cases: [string, PersistentVolume, PersistentVolumeClaim | undefined, string][] = [
    ['an unused one is available', volume('a'), undefined, 'setPhase Available'],
    ['a reserved one is available', volume('a', refersTo('data')), claim(), 'setPhase Available'],
    ['one whose claim is gone is released', volume('a', refersTo('data', 'u1')), undefined, 'release'],
    ['one whose claim is not yet bound waits', volume('a', refersTo('data', 'u1')), claim(), 'leaveToClaim'],
    ['one of another mode is reported', volume('a', { ...refersTo('data', 'u1'), volumeMode: 'Block' }), claim(), 'reportModes'],
    ['a bound one is bound', volume('a', refersTo('data', 'u1')), claim({ volumeName: 'a' }), 'setPhase Bound'],
    ['one whose claim went elsewhere is free again', volume('a', refersTo('data', 'u1')), claim({ volumeName: 'b' }), 'unbind'],
    [
      'one made for a claim that went elsewhere is not needed',
      volume('a', { ...refersTo('data', 'u1'), persistentVolumeReclaimPolicy: 'Delete' }, made),
      claim({ volumeName: 'b' }),
      'release',
    ],
  ];
  for (const [says, one, its, expected] of cases) {
    it(says, () => {
      const plan = planVolume(one, its);
      assert.equal(plan.do === 'setPhase' ? `setPhase ${plan.phase}` : plan.do, expected);
    });
  }
});

describe('findReclaimFailure', () => {
  const csi = { driver: 'example.com', volumeHandle: 'h' };
  const cases: [string, PersistentVolume, string | undefined][] = [
    ['keeps', volume('a', { persistentVolumeReclaimPolicy: 'Retain' }), undefined],
    ['cannot recycle', volume('a', { persistentVolumeReclaimPolicy: 'Recycle' }), 'VolumeFailedRecycle'],
    ['leaves CSI volumes to their provisioner', volume('a', { persistentVolumeReclaimPolicy: 'Delete', csi }), undefined],
    [
      'leaves provisioned volumes to their provisioner',
      volume('a', { persistentVolumeReclaimPolicy: 'Delete' }, { 'pv.kubernetes.io/provisioned-by': 'example.com/disk' }),
      undefined,
    ],
    ['cannot delete what nobody made', volume('a', { persistentVolumeReclaimPolicy: 'Delete' }), 'VolumeFailedDelete'],
    ['knows three policies', volume('a'), 'VolumeUnknownReclaimPolicy'],
  ];
  for (const [says, one, expected] of cases) it(says, () => assert.equal(findReclaimFailure(one)?.reason, expected));
});

describe('claimStatus', () => {
  it('shows what a new volume offers', () => {
    const { phase, capacity, accessModes } = claimStatus(claim(), 'Bound', volume('a', { capacity: { storage: '3Gi' } }));
    assert.deepEqual({ phase, capacity, accessModes }, { phase: 'Bound', capacity: { storage: '3Gi' }, accessModes: ['ReadWriteOnce'] });
  });
  it('leaves the capacity of a bound claim alone', () => {
    const one = { ...claim(), status: { phase: 'Bound' as const, capacity: { storage: '1Gi' } } };
    assert.deepEqual(claimStatus(one, 'Bound', volume('a', { capacity: { storage: '3Gi' } })).capacity, { storage: '1Gi' });
  });
  it('shows the size before an expansion that has not ended', () => {
    const growing = volume('a', { capacity: { storage: '3Gi' } }, { 'volume.alpha.kubernetes.io/pre-resize-capacity': '1Gi' });
    assert.deepEqual(claimStatus(claim(), 'Bound', growing).capacity, { storage: '1Gi' });
  });
  it('offers nothing when lost', () => {
    const one = { ...claim(), status: { phase: 'Bound' as const, capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce' as const] } };
    assert.deepEqual(claimStatus(one, 'Lost'), { phase: 'Lost' });
  });
});
