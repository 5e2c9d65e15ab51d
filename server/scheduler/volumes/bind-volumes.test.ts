import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { storageClasses } from '../../../api/resources/storage/v1/storage-class.ts';
import { type CompleteServer, startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { persistentVolumeBinder } from '../../controllers/persistentvolume-binder/controller.ts';
import { runControllers } from '../../controllers/runtime/run-controllers.ts';
import { schedulerPlugins } from '../plugins/plugins.ts';
import { runScheduler } from '../scheduler.ts';

const namespace = 'default';

const within = <T>(what: string, ask: () => Promise<T | undefined | false>) =>
  waitFor(what, ask, { withinSeconds: 10, everyMs: 5, clock: systemClock });

describe('scheduler: volumes that wait for their first pod', () => {
  let plane: CompleteServer;
  let client: Client;
  let stop: AbortController;
  let running: Promise<unknown>;
  const said: string[] = [];
  beforeEach(async () => {
    plane = await startCompleteServer();
    client = plane.admin;
    stop = new AbortController();
    said.length = 0;
    const parts = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
    const informers = createInformerFactory(parts);
    const recorder = {
      event: (_object: object, _type: string, reason: string, message: string) => void said.push(`${reason}: ${message}`),
    };
    const scheduling = runScheduler({ ...parts, informers, recorder, plugins: schedulerPlugins }, stop.signal);
    const controlling = runControllers({
      ...parts,
      controllers: [persistentVolumeBinder],
      clientFor: () => client,
      informersFor: () => informers,
      signal: stop.signal,
      recorderFor: () => recorder,
    });
    running = Promise.all([informers.run(stop.signal), scheduling, controlling]);
    await client(nodes).create({ metadata: { name: 'n', labels: { host: 'n' } } });
    const resources = { cpu: '4', memory: '4Gi', pods: '10' };
    const body = { status: { allocatable: resources, capacity: resources, conditions: [{ type: 'Ready', status: 'True' }] } };
    await client(nodes).patch({ namespace: '', name: 'n' }, { type: 'strategic', body }, { subresource: 'status' });
    await client(nodes).patch({ namespace: '', name: 'n' }, { type: 'merge', body: { spec: { taints: null } } });
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await plane.close();
  });

  const createClass = (provisioner: string) =>
    client(storageClasses).create({ metadata: { name: 'late' }, provisioner, volumeBindingMode: 'WaitForFirstConsumer' });
  const createClaim = (name: string) =>
    client(persistentVolumeClaims).create({
      metadata: { namespace, name },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'late', resources: { requests: { storage: '1Gi' } } },
    });
  const createPod = (name: string) =>
    client(pods).create({
      metadata: { namespace, name },
      spec: { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }] },
    });
  const createVolume = (name: string, claimRef?: { namespace: string; name: string; uid: string }) =>
    client(persistentVolumes).create({
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        storageClassName: 'late',
        local: { path: '/data' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'host', operator: 'In', values: ['n'] }] }] } },
        ...(claimRef === undefined ? {} : { claimRef }),
      },
    });
  const isScheduled = (name: string) =>
    within(`a node for pod ${name}`, async () => (await client(pods).get({ namespace, name })).spec?.nodeName === 'n');

  it('are chosen among those that are there, one for each', async () => {
    await createClass('kubernetes.io/no-provisioner');
    await Promise.all(['x', 'y', 'z'].map((name) => createVolume(name)));
    await Promise.all(['1', '2', '3'].map(createClaim));
    await Promise.all(['1', '2', '3'].map(createPod));
    await Promise.all(['1', '2', '3'].map(isScheduled));
    const claims = (await client(persistentVolumeClaims).list({ namespace })).items;
    assert.deepEqual(claims.map(({ spec }) => spec?.volumeName).sort(), ['x', 'y', 'z']);
    assert.deepEqual(
      claims.map(({ status }) => status?.phase),
      ['Bound', 'Bound', 'Bound'],
    );
  });

  it('are made for the chosen node, and the pod waits for that', async () => {
    await createClass('example.com/disk');
    await createClaim('1');
    await createPod('1');
    const key = { namespace, name: '1' };
    const asked = await within('a wish', async () => {
      const found = await client(persistentVolumeClaims).get(key);
      return found.metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] === 'example.com/disk' && found;
    });
    assert.equal(asked.metadata.annotations?.['volume.kubernetes.io/selected-node'], 'n');
    assert.equal((await client(pods).get(key)).spec?.nodeName, undefined);
    await createVolume('made', { ...key, uid: asked.metadata.uid ?? '' });
    await isScheduled('1');
  });

  it('lead to another attempt when they cannot be made for that node', async () => {
    await createClass('example.com/disk');
    await createClaim('1');
    await createPod('1');
    const key = { namespace, name: '1' };
    await within('a wish', async () => {
      const found = await client(persistentVolumeClaims).get(key);
      return found.metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] === 'example.com/disk' && found;
    });
    const body = { metadata: { annotations: { 'volume.kubernetes.io/selected-node': null } } };
    await client(persistentVolumeClaims).patch(key, { type: 'merge', body });
    await within('a report', async () => said.some((one) => one.startsWith('FailedScheduling')));
    assert.match(said.join('\n'), /running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "1"/);
    await within('another attempt', async () => {
      const found = await client(persistentVolumeClaims).get(key);
      return found.metadata.annotations?.['volume.kubernetes.io/selected-node'] === 'n';
    });
  });
});
