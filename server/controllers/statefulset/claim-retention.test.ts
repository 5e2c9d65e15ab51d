import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { type ControlPlane, startControlPlane } from '../testing/control-plane.ts';

const namespace = 'default';
const key = { namespace, name: 'web' };
const labels = { app: 'web' };

describe('persistentVolumeClaimRetentionPolicy of a StatefulSet', () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane();
    plane.playKubelet();
    await plane.client(statefulSets).create({
      metadata: { ...key },
      spec: {
        replicas: 2,
        serviceName: 'web',
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx:1' }] } },
        volumeClaimTemplates: [
          { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
        ],
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
      },
    });
  });
  after(() => plane.stop());
  const ownersOf = async (ordinal: number) => {
    const claim = await ignoreNotFound(plane.client(persistentVolumeClaims).get({ namespace, name: `data-web-${ordinal}` }));
    return (
      claim &&
      (claim.metadata.ownerReferences ?? []).map(({ kind, controller, blockOwnerDeletion }) => [kind, controller, blockOwnerDeletion])
    );
  };
  const waitForOwners = (ordinal: number, expected: unknown[]) =>
    plane.waitFor(`owners of claim ${ordinal}`, async () => JSON.stringify(await ownersOf(ordinal)) === JSON.stringify(expected));

  it('makes the set the controller of claims that are deleted with it', async () => {
    for (const ordinal of [0, 1]) await waitForOwners(ordinal, [['StatefulSet', true, true]]);
  });
  it('deletes the claim of a Pod that is scaled away, and makes a new one with the next', async () => {
    const name = 'data-web-1';
    const { uid } = (await plane.client(persistentVolumeClaims).get({ namespace, name })).metadata;
    const scale = (replicas: number) => plane.client(statefulSets).patch(key, { type: 'merge', body: { spec: { replicas } } });
    await scale(1);
    await plane.waitFor('the end of the Pod', async () => !(await ignoreNotFound(plane.client(pods).get({ namespace, name: 'web-1' }))));
    await scale(2);
    await plane.waitFor('a new claim', async () => {
      const claim = await ignoreNotFound(plane.client(persistentVolumeClaims).get({ namespace, name }));
      return claim !== undefined && claim.metadata.uid !== uid;
    });
    await waitForOwners(1, [['StatefulSet', true, true]]);
  });
  it('takes the set off the claims when they are to be retained, so that they outlive it', async () => {
    const retain = { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } };
    await plane.client(statefulSets).patch(key, { type: 'merge', body: { spec: retain } });
    for (const ordinal of [0, 1]) await waitForOwners(ordinal, []);
    await plane.client(statefulSets).delete(key);
    await plane.waitFor('the end of the Pods', async () => (await plane.client(pods).list({ namespace })).items.length === 0);
    for (const ordinal of [0, 1]) assert.deepEqual(await ownersOf(ordinal), []);
  });
});
