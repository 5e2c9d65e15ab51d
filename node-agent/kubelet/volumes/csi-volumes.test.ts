import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { csiNodes } from '../../../api/resources/storage/v1/csi-node.ts';
import { volumeAttachments } from '../../../api/resources/storage/v1/volume-attachment.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { CSIDriverSpec } from '../../../api/types/storage-v1.ts';
import { startStorageDriver, type StorageDriver } from '../../../conformance/framework/storage-driver.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { createCSIDrivers } from '../../plugins/csi/csi-drivers.ts';
import { createCSINodeKeeper } from '../../plugins/csi/csi-node.ts';
import { attachmentNameOf } from '../../plugins/csi/csi-paths.ts';
import { nodePaths } from '../../node-paths.ts';
import { createCSIVolumes, type CSIVolumes } from './csi-volumes.ts';

const stages = ['STAGE_UNSTAGE_VOLUME', 'EXPAND_VOLUME'];
const pod = (uid: string, spec: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
  metadata: { name: `pod-${uid}`, namespace: 'ns', uid },
  spec: { containers: [], serviceAccountName: 'robot', ...spec },
});
const claim: PersistentVolumeClaim = {
  metadata: { name: 'data', namespace: 'ns', uid: 'u1' },
  spec: { volumeName: 'pv' },
  status: { phase: 'Bound', capacity: { storage: '1Gi' } },
};
const volume = (spec: Partial<NonNullable<PersistentVolume['spec']>> = {}): PersistentVolume => ({
  metadata: { name: 'pv' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    csi: { driver: 'test.csi', volumeHandle: 'h/1', fsType: 'ext4', volumeAttributes: { size: 'big' } },
    ...spec,
  },
});
const claimed = { volume: { name: 'v', persistentVolumeClaim: { claimName: 'data' } }, claimName: 'data', isEphemeral: false };

describe('volumes of storage drivers', () => {
  let root = '';
  let server: ObjectServer;
  let driver: StorageDriver;
  let stop: AbortController;
  let running: Promise<void>;
  let volumes: CSIVolumes;
  let restart: () => CSIVolumes;
  let object: CSIDriverSpec | undefined;
  const ofPod = (uid: string) => `${root}/node/pods/${uid}/volumes/kubernetes.io~csi`;

  async function start(capabilities: readonly string[] = stages): Promise<void> {
    const paths = nodePaths(root);
    const parts = { client: createClient(server.transport), files: createHostFiles(), paths, clock: systemClock, logger: silentLogger };
    await parts.client(nodes).create({ metadata: { name: 'n' } });
    driver = await startStorageDriver({
      name: 'test.csi',
      directory: `${paths.plugins}/test.csi`,
      registry: paths.pluginRegistry,
      capabilities,
      topology: { 'topology.test/zone': 'z' },
      maxVolumes: 7,
    });
    const keeper = createCSINodeKeeper({ ...parts, nodeName: 'n' });
    const drivers = createCSIDrivers({ ...parts, announce: keeper.announce, withdraw: keeper.withdraw });
    running = drivers.run(stop.signal);
    await within('the driver', () => driver.verdicts[0]);
    await within('its registration', () => drivers.find('test.csi'));
    restart = () =>
      createCSIVolumes({
        ...parts,
        nodeName: 'n',
        drivers,
        tokens: {
          get: async () => 'token',
          getWithExpiry: async ({ audience }) => ({ token: `for ${audience}`, expirationTimestamp: '2026-01-01T00:00:00Z' }),
          forgetPod: () => undefined,
        },
        driverObject: (name) => (object === undefined ? undefined : { metadata: { name }, spec: object }),
        secret: async (_namespace, name) => (name === 'key' ? { metadata: { name }, data: { k: 'c2VjcmV0' } } : undefined),
      });
    volumes = restart();
  }
  const within = <T>(what: string, ask: () => T | undefined) => waitFor(what, ask, { withinSeconds: 5, everyMs: 5, clock: systemClock });

  beforeEach(async () => {
    root = await mkdtemp(`${tmpdir()}/csi-`);
    server = new ObjectServer();
    stop = new AbortController();
    object = { attachRequired: false };
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await driver.stop();
    await rm(root, { recursive: true });
  });

  it('are known by their drivers, as CSINode and Node tell', async () => {
    await start();
    assert.deepEqual(driver.verdicts, ['registered']);
    const client = createClient(server.transport);
    const { spec, metadata } = await client(csiNodes).get({ namespace: '', name: 'n' });
    assert.deepEqual(spec.drivers, [
      { name: 'test.csi', nodeID: 'node-id', topologyKeys: ['topology.test/zone'], allocatable: { count: 7 } },
    ]);
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'Node');
    const node = await client(nodes).get({ namespace: '', name: 'n' });
    assert.deepEqual(node.metadata.labels, { 'topology.test/zone': 'z' });
    await driver.stop();
    await waitFor('it is withdrawn', async () => (await client(csiNodes).get({ namespace: '', name: 'n' })).spec.drivers?.length === 0, {
      withinSeconds: 8,
      everyMs: 5,
      clock: systemClock,
    });
  });

  it('are staged once, published to each Pod, and taken back with the last', async () => {
    await start();
    const bound = { claim, volume: volume() };
    const path = await volumes.setUpPersistent(pod('a'), claimed, bound);
    assert.equal(path, `${ofPod('a')}/pv/mount`);
    await volumes.setUpPersistent(pod('b'), claimed, bound);
    await volumes.setUpPersistent(pod('a'), claimed, bound);
    assert.deepEqual(driver.calls, ['stage h/1', 'publish h/1', 'publish h/1']);
    const [staged, published] = [driver.staged[0], driver.published[0]];
    assert.match(staged?.staging_target_path ?? '', /\/node\/plugins\/kubernetes\.io\/csi\/test\.csi\/[0-9a-f]{64}\/globalmount$/);
    assert.equal(published?.staging_target_path, staged?.staging_target_path);
    assert.deepEqual(published?.volume_context, { size: 'big' });
    const data: unknown = JSON.parse(await readFile(`${ofPod('a')}/pv/vol_data.json`, 'utf8'));
    assert.deepEqual(data, {
      driverName: 'test.csi',
      volumeHandle: 'h/1',
      specVolID: 'pv',
      volumeLifecycleMode: 'Persistent',
      nodeName: 'n',
      attachmentID: attachmentNameOf('h/1', 'test.csi', 'n'),
    });
    await volumes.release('a');
    assert.deepEqual(driver.calls.slice(3), ['unpublish h/1']);
    assert.deepEqual(await readdir(ofPod('a')), []);
    await volumes.release('b');
    assert.deepEqual(driver.calls.slice(4), ['unpublish h/1', 'unstage h/1']);
    assert.equal(existsSync(staged?.staging_target_path ?? ''), false);
  });

  it('are taken back by another agent too', async () => {
    await start();
    await volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume() });
    await restart().release('a');
    assert.deepEqual(driver.calls.slice(2), ['unpublish h/1', 'unstage h/1']);
  });

  it('stay until the driver has let them go', async () => {
    await start();
    await volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume() });
    driver.failNext('unpublish', 'busy');
    await assert.rejects(volumes.release('a'), /rpc error: code = Internal desc = busy/);
    await volumes.release('a');
    assert.deepEqual(driver.calls.slice(2), ['unpublish h/1 failed', 'unpublish h/1', 'unstage h/1']);
  });

  it('are tried again after a failure, and staged before', async () => {
    await start();
    driver.failNext('stage', 'no disk');
    await assert.rejects(volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume() }), /desc = no disk/);
    await volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume() });
    assert.deepEqual(driver.calls, ['stage h/1 failed', 'stage h/1', 'publish h/1']);
  });

  it('wait until they are attached, and are in use from then on', async () => {
    object = {};
    await start();
    const setUp = () => volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume() });
    await assert.rejects(setUp(), /is not attached to the node yet/);
    assert.deepEqual(await volumes.inUse(), ['kubernetes.io/csi/test.csi^h/1']);
    const name = attachmentNameOf('h/1', 'test.csi', 'n');
    await createClient(server.transport)(volumeAttachments).create({
      metadata: { name },
      spec: { attacher: 'test.csi', nodeName: 'n', source: { persistentVolumeName: 'pv' } },
      status: { attached: true, attachmentMetadata: { device: 'sda' } },
    });
    await setUp();
    assert.deepEqual(driver.published[0]?.publish_context, { device: 'sda' });
    assert.deepEqual(await restart().inUse(), ['kubernetes.io/csi/test.csi^h/1']);
    await volumes.release('a');
    assert.deepEqual(await volumes.inUse(), []);
  });

  it('are told of the Pod, its tokens and secrets, if they ask for them', async () => {
    object = { attachRequired: false, podInfoOnMount: true, tokenRequests: [{ audience: 'vault' }] };
    await start([]);
    const secret = { name: 'key', namespace: 'ns' };
    const csi = { driver: 'test.csi', volumeHandle: 'h/1', nodePublishSecretRef: secret };
    await volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume({ csi }) });
    const [published] = driver.published;
    assert.deepEqual(published?.secrets, { k: 'secret' });
    assert.deepEqual(published?.volume_context, {
      'csi.storage.k8s.io/pod.name': 'pod-a',
      'csi.storage.k8s.io/pod.namespace': 'ns',
      'csi.storage.k8s.io/pod.uid': 'a',
      'csi.storage.k8s.io/serviceAccount.name': 'robot',
      'csi.storage.k8s.io/ephemeral': 'false',
      'csi.storage.k8s.io/serviceAccount.tokens': '{"vault":{"token":"for vault","expirationTimestamp":"2026-01-01T00:00:00Z"}}',
    });
    assert.deepEqual(driver.calls, ['publish h/1']);
  });

  it('may be of one Pod alone, where the driver allows it', async () => {
    await start();
    const inline = { name: 'v', csi: { driver: 'test.csi', volumeAttributes: { a: 'b' } } };
    await assert.rejects(
      volumes.setUpInline(pod('a'), inline),
      /volume mode "Ephemeral" not supported by driver test\.csi \(only supports \["Persistent"\]\)/,
    );
    object = { volumeLifecycleModes: ['Ephemeral'] };
    await volumes.setUpInline(pod('a'), inline);
    const [published] = driver.published;
    assert.match(published?.volume_id ?? '', /^csi-[0-9a-f]{64}$/);
    assert.equal(published?.staging_target_path, '');
    await volumes.release('a');
    assert.deepEqual(
      driver.calls.map((call) => call.split(' ')[0]),
      ['publish', 'unpublish'],
    );
  });

  it('may be devices', async () => {
    await start();
    const path = await volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume({ volumeMode: 'Block' }) });
    assert.equal(path, `${root}/node/plugins/kubernetes.io/csi/volumeDevices/publish/pv/a`);
    assert.ok(driver.published[0]?.volume_capability && 'block' in driver.published[0].volume_capability);
    await volumes.release('a');
    assert.deepEqual(driver.calls.slice(2), ['unpublish h/1', 'unstage h/1']);
    assert.equal(existsSync(`${root}/node/plugins/kubernetes.io/csi/volumeDevices/pv`), false);
  });

  it('grow on the node after they have grown elsewhere', async () => {
    await start();
    const key = { namespace: 'ns', name: 'data' };
    const client = createClient(server.transport);
    await client(persistentVolumeClaims).create(structuredClone(claim));
    await volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume({ capacity: { storage: '2Gi' } }) });
    assert.deepEqual(driver.calls.slice(2), ['expand h/1 to 2147483648']);
    assert.deepEqual((await client(persistentVolumeClaims).get(key)).status?.capacity, { storage: '2Gi' });
  });

  it('say that their driver is missing', async () => {
    await start();
    const csi = { driver: 'other.csi', volumeHandle: 'h' };
    await assert.rejects(
      volumes.setUpPersistent(pod('a'), claimed, { claim, volume: volume({ csi }) }),
      /driver name other\.csi not found in the list of registered CSI drivers/,
    );
  });
});
