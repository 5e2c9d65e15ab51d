import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../api/client/ignore-not-found.ts';
import { events } from '../../api/resources/core/v1/event.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../api/resources/core/v1/persistent-volume.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { storageClasses } from '../../api/resources/storage/v1/storage-class.ts';
import { volumeAttachments } from '../../api/resources/storage/v1/volume-attachment.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts';
import { type ControlPlane, startControlPlane } from './testing/control-plane.ts';

const namespace = 'default';
const key = { namespace, name: 'data' };
const claim = (spec: PersistentVolumeClaim['spec'] = {}): PersistentVolumeClaim => ({
  metadata: { ...key },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: '', ...spec },
});
const volume = (name: string, spec: PersistentVolume['spec'] = {}): PersistentVolume => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' }, hostPath: { path: '/data' }, ...spec },
});
const podWith = (volumes: NonNullable<Pod['spec']>['volumes'] = []): Pod => ({
  metadata: { namespace, name: 'web' },
  spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }], volumes },
});

describe('volumes on an API server', () => {
  let plane: ControlPlane;
  beforeEach(async () => {
    plane = await startControlPlane();
  });
  afterEach(() => plane.stop());

  const claimIs = (phase: string) =>
    plane.waitFor(`a claim that is ${phase}`, async () => {
      const found = await plane.client(persistentVolumeClaims).get(key);
      return found.status?.phase === phase && found;
    });
  const volumeIs = (name: string, phase: string) =>
    plane.waitFor(`a volume that is ${phase}`, async () => {
      const found = await plane.client(persistentVolumes).get({ namespace: '', name });
      return found.status?.phase === phase && found;
    });
  const told = (reason: string) =>
    plane.waitFor(`event ${reason}`, async () => (await plane.client(events).list()).items.find((event) => event.reason === reason));
  const gone = (what: string, find: () => Promise<unknown>) =>
    plane.waitFor(`${what} gone`, async () => (await ignoreNotFound(find())) === undefined);

  it('bind, are released and kept, and can be freed for another claim', async () => {
    const { client } = plane;
    await client(persistentVolumes).create(volume('large', { capacity: { storage: '9Gi' } }));
    await client(persistentVolumes).create(volume('small'));
    await Promise.all([volumeIs('large', 'Available'), volumeIs('small', 'Available')]);
    await client(persistentVolumeClaims).create(claim());
    const bound = await claimIs('Bound');
    assert.equal(bound.spec?.volumeName, 'small');
    assert.deepEqual(bound.status?.capacity, { storage: '2Gi' });
    assert.deepEqual(bound.metadata.annotations, {
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    });
    const its = await volumeIs('small', 'Bound');
    assert.equal(its.spec?.claimRef?.uid, bound.metadata.uid);
    await client(persistentVolumeClaims).delete(key);
    await gone('the claim', () => client(persistentVolumeClaims).get(key));
    await volumeIs('small', 'Released');
    await client(persistentVolumes).patch({ namespace: '', name: 'small' }, { type: 'merge', body: { spec: { claimRef: null } } });
    await volumeIs('small', 'Available');
    assert.deepEqual(plane.complaints, []);
  });

  it('wait for a volume that comes later, and say why', async () => {
    const { client } = plane;
    await client(persistentVolumeClaims).create(claim());
    assert.equal((await told('FailedBinding')).message, 'no persistent volumes available for this claim and no storage class is set');
    await client(persistentVolumes).create(volume('late'));
    await claimIs('Bound');
  });

  it('are given the default class when there is one at last, and are left to its provisioner', async () => {
    const { client } = plane;
    const { storageClassName: _none, ...spec } = claim().spec ?? {};
    await client(persistentVolumeClaims).create({ metadata: { ...key }, spec });
    await told('FailedBinding');
    await client(storageClasses).create({
      metadata: { name: 'std', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'example.com/disk',
    });
    await told('ExternalProvisioning');
    const asked = await client(persistentVolumeClaims).get(key);
    assert.equal(asked.spec?.storageClassName, 'std');
    assert.equal(asked.metadata.annotations?.['volume.kubernetes.io/storage-provisioner'], 'example.com/disk');
    const uid = asked.metadata.uid ?? '';
    await client(persistentVolumes).create(
      volume('made', { storageClassName: 'std', claimRef: { namespace, name: 'data', uid }, persistentVolumeReclaimPolicy: 'Delete' }),
    );
    await claimIs('Bound');
    await client(persistentVolumeClaims).delete(key);
    const failed = await volumeIs('made', 'Failed');
    assert.match(failed.status?.message ?? '', /no deletable volume plugin matched/);
  });

  it('are lost with their volume', async () => {
    const { client } = plane;
    await client(persistentVolumes).create(volume('a'));
    await client(persistentVolumeClaims).create(claim());
    await claimIs('Bound');
    const at = { namespace: '', name: 'a' };
    await client(persistentVolumes).delete(at);
    assert.notEqual((await client(persistentVolumes).get(at)).metadata.deletionTimestamp, undefined);
    await client(persistentVolumes).patch(at, { type: 'merge', body: { metadata: { finalizers: null } } });
    await claimIs('Lost');
    assert.match((await told('ClaimLost')).message ?? '', /has lost its PersistentVolume/);
  });

  it('of a Pod stay until the Pod has gone', async () => {
    const { client } = plane;
    await client(persistentVolumeClaims).create(claim());
    await client(pods).create(podWith([{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]));
    await client(persistentVolumeClaims).delete(key);
    await told('FailedBinding'); // it was seen
    assert.deepEqual((await client(persistentVolumeClaims).get(key)).metadata.finalizers, ['kubernetes.io/pvc-protection']);
    await client(pods).delete({ namespace, name: 'web' }, { gracePeriodSeconds: 0 });
    await gone('the claim', () => client(persistentVolumeClaims).get(key));
  });

  it('of a driver are attached to the node of their Pod, and detached after it', async () => {
    const { client } = plane;
    const csi = { driver: 'd.example.com', volumeHandle: 'h' };
    const { hostPath: _none, ...spec } = volume('a').spec ?? {};
    await client(persistentVolumes).create({ metadata: { name: 'a' }, spec: { ...spec, csi } });
    await client(persistentVolumeClaims).create(claim());
    await claimIs('Bound');
    await client(nodes).create({ metadata: { name: 'n' } });
    await client(pods).create(podWith([{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]));
    const made = await plane.waitFor('an attachment', async () => (await client(volumeAttachments).list()).items[0]);
    assert.deepEqual(made.spec, { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'a' } });
    await client(volumeAttachments).updateStatus({ ...made, status: { attached: true } });
    await told('SuccessfulAttachVolume');
    const attached = async () => (await client(nodes).get({ namespace: '', name: 'n' })).status?.volumesAttached;
    await plane.waitFor('the node is told', async () => (await attached())?.length === 1);
    assert.deepEqual(await attached(), [{ name: 'kubernetes.io/csi/d.example.com^h', devicePath: '' }]);
    await client(pods).delete({ namespace, name: 'web' }, { gracePeriodSeconds: 0 });
    await plane.waitFor('no attachment', async () => (await client(volumeAttachments).list()).items.length === 0);
    assert.deepEqual(await attached(), undefined);
  });

  it('that are ephemeral have claims made for them, and refuse those of others', async () => {
    const { client } = plane;
    const ephemeral = { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec: claim().spec ?? {} } };
    await client(persistentVolumeClaims).create({ ...claim(), metadata: { namespace, name: 'web-taken' } });
    await client(pods).create(podWith([{ name: 'scratch', ephemeral }]));
    const made = await plane.waitFor('the claim', () =>
      ignoreNotFound(client(persistentVolumeClaims).get({ namespace, name: 'web-scratch' })),
    );
    assert.deepEqual([made.metadata.labels, made.metadata.ownerReferences?.[0]?.kind], [{ a: 'b' }, 'Pod']);
    await client(pods).delete({ namespace, name: 'web' }, { gracePeriodSeconds: 0 });
    await gone('the claim', () => client(persistentVolumeClaims).get({ namespace, name: 'web-scratch' }));
    await client(pods).create(podWith([{ name: 'taken', ephemeral }]));
    const { message } = await told('FailedBinding').then(() =>
      plane.waitFor('the refusal', async () =>
        (await client(events).list()).items.find(({ message: text }) => text?.includes('was not created for pod')),
      ),
    );
    assert.equal(message, 'ephemeral volume taken: PVC default/web-taken was not created for pod default/web (pod is not owner)');
  });
});
