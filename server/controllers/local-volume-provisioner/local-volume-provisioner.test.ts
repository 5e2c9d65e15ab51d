import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { storageClasses } from '../../../api/resources/storage/v1/storage-class.ts';
import type { PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import { type CompleteServer, startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { createDefaultStorageClassController } from '../default-storage-class/controller.ts';
import { persistentVolumeBinder } from '../persistentvolume-binder/controller.ts';
import { persistentVolumeProtection } from '../persistentvolume-protection/controller.ts';
import { persistentVolumeClaimProtection } from '../persistentvolumeclaim-protection/controller.ts';
import { runControllers } from '../runtime/run-controllers.ts';
import { localVolumeProvisionerController } from './controller.ts';
import { planLocalVolume } from './local-volume-plan.ts';

const key = { namespace: 'default', name: 'data' };
const body = (text: string) => ({ kind: 'bytes' as const, bytes: new TextEncoder().encode(text) });
const within = <T>(what: string, ask: () => Promise<T | undefined | false> | T | undefined | false) =>
  waitFor(what, ask, { withinSeconds: 10, everyMs: 5, clock: systemClock });

describe('local volume provisioner', () => {
  let plane: CompleteServer;
  let stop: AbortController;
  let running: Promise<unknown>;
  /** The requests to the node, as `METHOD path`. */
  let asked: string[];
  let problem: string | undefined;
  let said: string[];
  const claims = () => plane.admin(persistentVolumeClaims);
  const volumes = () => plane.admin(persistentVolumes);

  beforeEach(async () => {
    asked = [];
    said = [];
    problem = undefined;
    plane = await startCompleteServer({
      async send(_target, { method, path }) {
        asked.push(`${method} ${path.slice(0, path.indexOf('pvc-') + 4)}`);
        if (problem !== undefined) return { status: 500, headers: {}, body: body(problem) };
        return {
          status: method === 'PUT' ? 200 : 204,
          headers: {},
          body: method === 'PUT' ? body('{"path":"/disk/1"}') : { kind: 'none' },
        };
      },
    });
    stop = new AbortController();
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger, signal: stop.signal };
    const informers = createInformerFactory({ ...parts, client: plane.admin });
    const controllers = [
      createDefaultStorageClassController(),
      localVolumeProvisionerController,
      persistentVolumeBinder,
      persistentVolumeClaimProtection,
      persistentVolumeProtection,
    ];
    const recorderFor = () => ({
      event: (_object: object, _type: string, reason: string, message: string) => void said.push(`${reason}: ${message}`),
    });
    const controlling = runControllers({ ...parts, controllers, clientFor: () => plane.admin, informersFor: () => informers, recorderFor });
    running = Promise.all([informers.run(stop.signal), controlling]);
    await plane.admin(nodes).create({ metadata: { name: 'n', labels: { 'kubernetes.io/hostname': 'host' } } });
    const status = { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } };
    await plane.admin(nodes).patch({ namespace: '', name: 'n' }, { type: 'merge', body: { status } }, { subresource: 'status' });
    await within('the class', () => ignoreNotFound(plane.admin(storageClasses).get({ namespace: '', name: 'standard' })));
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await plane.close();
  });

  /** Creates a claim as the scheduler leaves it once it has chosen a node. */
  const createClaim = (spec: PersistentVolumeClaim['spec'] = {}, nodeName = 'n') =>
    claims().create({
      metadata: { ...key, annotations: { 'volume.kubernetes.io/selected-node': nodeName } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    });
  const isBound = () =>
    within('the binding', async () => {
      const claim = await claims().get(key);
      return claim.status?.phase === 'Bound' && volumes().get({ namespace: '', name: claim.spec?.volumeName ?? '' });
    });

  it('gives claims that ask for no class a directory of the chosen node, and removes it with them', async () => {
    await createClaim();
    const volume = await isBound();
    assert.deepEqual(volume.spec?.local, { path: '/disk/1' });
    assert.equal(volume.spec?.storageClassName, 'standard');
    assert.deepEqual(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms, [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host'] }] },
    ]);
    await claims().delete(key);
    await within('the volume is gone', async () => (await volumes().list()).items.length === 0);
    // Removing what is gone already is fine, and may be asked for again.
    assert.deepEqual([...new Set(asked)], ['PUT /localVolumes/pvc-', 'DELETE /localVolumes/pvc-']);
  });

  it('keeps the directory of a volume that is to be retained', async () => {
    await plane.admin(storageClasses).create({
      metadata: { name: 'kept' },
      provisioner: 'kubets.io/local-volume',
      reclaimPolicy: 'Retain',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    await createClaim({ storageClassName: 'kept' });
    const { metadata } = await isBound();
    const at = { namespace: '', name: metadata.name ?? '' };
    await claims().delete(key);
    await within('the release', async () => (await volumes().get(at)).status?.phase === 'Released');
    await volumes().delete(at);
    await within('the volume is gone', async () => (await ignoreNotFound(volumes().get(at))) === undefined);
    assert.deepEqual(asked, ['PUT /localVolumes/pvc-']);
  });

  it('tries again while the node fails, and says so', async () => {
    problem = 'no space left on device';
    await createClaim();
    await within('the event', () => said.some((one) => /^ProvisioningFailed: .*no space left on device/.test(one)));
    problem = undefined;
    await isBound();
  });

  it('has another node chosen when the chosen one is gone', async () => {
    await createClaim({}, 'gone');
    await within('the choice is undone', async () => {
      const { metadata } = await claims().get(key);
      return metadata.annotations?.['volume.kubernetes.io/selected-node'] === undefined;
    });
    assert.deepEqual(asked, []);
  });

  it('refuses what directories cannot be', async () => {
    await createClaim({ volumeMode: 'Block' });
    await within('the event', () => said.some((one) => /^ProvisioningFailed: .*cannot be block volumes/.test(one)));
    assert.deepEqual(asked, []);
  });

  it('makes the class once: what becomes of it later stays so', async () => {
    const at = { namespace: '', name: 'standard' };
    await plane.admin(storageClasses).delete(at);
    await plane.admin(storageClasses).create({ metadata: { name: 'other' }, provisioner: 'x' }); // seen after the deletion
    await within('a while', async () => (await plane.admin(storageClasses).list()).items.length === 1);
    assert.equal(await ignoreNotFound(plane.admin(storageClasses).get(at)), undefined);
  });
});

describe('planLocalVolume', () => {
  const ours = ['kubets.io/local-volume'];
  const cases: [string, string[], boolean, string, 'Delete' | 'Retain', string][] = [
    ['a bound one', ours, false, 'Bound', 'Delete', 'nothing'],
    ['a bound one that is being deleted', ours, true, 'Bound', 'Delete', 'nothing'],
    ['a released one', ours, false, 'Released', 'Delete', 'removeDirectory'],
    ['a released one to be retained', ours, false, 'Released', 'Retain', 'nothing'],
    ['one to be retained that is being deleted', ours, true, 'Released', 'Retain', 'letGo'],
    ['one that was never bound and is being deleted', ours, true, 'Available', 'Delete', 'removeDirectory'],
    ['one whose directory is gone', [], true, 'Released', 'Delete', 'nothing'],
  ];
  for (const [says, finalizers, isGoing, phase, policy, expected] of cases) {
    it(`${says}: ${expected}`, () => {
      const metadata = { name: 'v', finalizers, ...(isGoing ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) };
      const plan = planLocalVolume({ metadata, spec: { persistentVolumeReclaimPolicy: policy }, status: { phase: phase as 'Bound' } });
      assert.equal(plan, expected);
    });
  }
});
