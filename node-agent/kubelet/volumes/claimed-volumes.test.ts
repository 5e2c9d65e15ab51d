import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { silentLogger } from '../../../api/base/logger.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { ObjectStore } from '../../../api/client/informers/object-store.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import type { PersistentVolumeSpec, Pod, Volume } from '../../../api/types/core-v1.ts';
import type { CSIDriver } from '../../../api/types/storage-v1.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { createMounts } from '../../linux/mounts/mounts.ts';
import { runProgram } from '../../linux/processes/run-program.ts';
import { nodePaths } from '../../node-paths.ts';
import { createNodeVolumes } from './node-volumes.ts';
import type { PodVolumes } from './pod-volumes.ts';
import { createServiceAccountTokens } from './service-account-tokens.ts';

const host = (values: string[]) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'host', operator: 'In' as const, values }] }] },
});
const addresses = { hostIP: '10.0.0.1', podIPs: [], hostIPs: ['10.0.0.1'] };
const pod = (volume: Volume = { name: 'v', persistentVolumeClaim: { claimName: 'data' } }, security: object = {}): Pod => ({
  metadata: { name: 'web', namespace: 'ns', uid: 'pod-uid' },
  spec: { containers: [], volumes: [volume], securityContext: security },
});
describe('claimed volumes on a node', () => {
  let root = '';
  let volumes: PodVolumes;
  const client = () => createClient(server.transport);
  let server: ObjectServer;
  const disk = () => `${root}/disk`;

  before(function () {
    if (process.getuid?.() !== 0) this.skip(); // mounting needs root
  });
  beforeEach(async () => {
    root = await mkdtemp(`${tmpdir()}/claimed-`);
    await mkdir(disk());
    await writeFile(`${disk()}/file`, 'kept');
    server = new ObjectServer();
    const node = { metadata: { name: 'n', labels: { host: 'n' } } };
    volumes = createNodeVolumes({
      client: client(),
      clock: systemClock,
      logger: silentLogger,
      random: createSeededRandom(1),
      files: createHostFiles(),
      mounts: createMounts(),
      paths: nodePaths(root),
      nodeName: 'n',
      node: () => node,
      csiDrivers: new ObjectStore<CSIDriver>(),
      tokens: createServiceAccountTokens({ client: client(), clock: systemClock }),
      allocatable: () => ({ cpu: 1000, memory: 1, ephemeralStorage: 1 }),
      configMap: async () => undefined,
      secret: async () => undefined,
    }).pods;
  });
  afterEach(async () => {
    for (const point of await createMounts().below(root)) await createMounts().unmount(point);
    await rm(root, { recursive: true });
  });

  async function create(
    spec: PersistentVolumeSpec,
    { name = 'data', owner = '', phase = 'Bound' as 'Bound' | 'Pending' } = {},
  ): Promise<void> {
    const ownerReferences = owner === '' ? [] : [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid: owner, controller: true }];
    const claim = await client()(persistentVolumeClaims).create({
      metadata: { namespace: 'ns', name, ownerReferences },
      spec: { volumeName: 'pv' },
      status: { phase },
    });
    const claimRef = { namespace: 'ns', name, uid: claim.metadata.uid ?? '' };
    await client()(persistentVolumes).create({ metadata: { name: 'pv' }, spec: { claimRef, ...spec } });
  }

  it('are local directories, given to the fsGroup, and stay when the Pod goes', async () => {
    await create({ local: { path: disk() }, nodeAffinity: host(['n']) });
    const mounted = await volumes.setUp(pod(undefined, { fsGroup: 4000 }), addresses);
    const path = mounted.get('v') ?? '';
    assert.equal(path, `${root}/node/pods/pod-uid/volumes/kubernetes.io~local-volume/pv`);
    assert.equal(await readFile(`${path}/file`, 'utf8'), 'kept');
    assert.equal((await stat(`${disk()}/file`)).gid, 4000);
    assert.equal((await stat(disk())).mode & 0o2070, 0o2070);
    await volumes.tearDown('pod-uid');
    assert.equal(existsSync(path), false);
    assert.deepEqual(await readdir(disk()), ['file']);
  });

  it('leave files alone with OnRootMismatch when their top is right', async () => {
    await create({ local: { path: disk() } });
    await chown(disk(), 0, 4000);
    await chmod(disk(), 0o2770);
    await volumes.setUp(pod(undefined, { fsGroup: 4000, fsGroupChangePolicy: 'OnRootMismatch' }), addresses);
    assert.equal((await stat(`${disk()}/file`)).gid, 0);
  });

  it('are folders of the host', async () => {
    await create({ hostPath: { path: `${root}/new`, type: 'DirectoryOrCreate' } });
    const mounted = await volumes.setUp(pod(), addresses);
    assert.equal(mounted.get('v'), `${root}/new`);
    assert.ok((await stat(`${root}/new`)).isDirectory());
    await volumes.tearDown('pod-uid');
    assert.ok(existsSync(`${root}/new`));
  });

  it('are asked for once', async () => {
    await create({ local: { path: disk() } });
    await volumes.setUp(pod(), addresses);
    const before = server.requests.length;
    await volumes.setUp(pod(), addresses);
    assert.equal(server.requests.length, before);
  });

  describe('of a device', () => {
    let device = '';
    before(async function () {
      // Not every machine lets its devices be made of files.
      const image = `${await mkdtemp(`${tmpdir()}/image-`)}/disk`;
      await writeFile(image, '');
      await truncate(image, 32 << 20);
      device = (await runProgram('losetup', ['--find', '--show', image]).catch(() => '')).trim();
      await rm(image); // it lives as long as the device
      if (device === '') this.skip();
    });
    after(() => (device === '' ? undefined : runProgram('losetup', ['--detach', device])));

    it('are given a file system once, which all Pods share', async () => {
      await create({ local: { path: device } });
      const first = await volumes.setUp(pod(), addresses);
      await writeFile(`${first.get('v')}/file`, 'kept');
      const other = pod();
      other.metadata.uid = 'other-uid';
      const second = await volumes.setUp(other, addresses);
      assert.equal(await readFile(`${second.get('v')}/file`, 'utf8'), 'kept');
      await volumes.tearDown('pod-uid');
      assert.equal(await readFile(`${second.get('v')}/file`, 'utf8'), 'kept');
      await volumes.tearDown('other-uid');
      assert.deepEqual(await createMounts().below(`${root}/node`), []);
      const again = await volumes.setUp(pod(), addresses);
      assert.equal(await readFile(`${again.get('v')}/file`, 'utf8'), 'kept');
    });

    it('are passed as they are where they are asked for so', async () => {
      await create({ local: { path: device }, volumeMode: 'Block' });
      assert.equal((await volumes.setUp(pod(), addresses)).get('v'), device);
    });

    it('grow with their device', async () => {
      await create({ local: { path: device }, capacity: { storage: '32Mi' } });
      const key = { namespace: 'ns', name: 'data' };
      const claim = await client()(persistentVolumeClaims).get(key);
      await client()(persistentVolumeClaims).updateStatus({ ...claim, status: { phase: 'Bound', capacity: { storage: '16Mi' } } });
      await volumes.setUp(pod(), addresses);
      assert.deepEqual((await client()(persistentVolumeClaims).get(key)).status?.capacity, { storage: '32Mi' });
    });
  });

  const refusals: [string, PersistentVolumeSpec, RegExp, Parameters<typeof create>[1]?][] = [
    ['what is on another node', { local: { path: '/x' }, nodeAffinity: host(['other']) }, /NodeAffinity check failed/],
    ['a path that is not there', { local: { path: '/does/not/exist' } }, /path "\/does\/not\/exist" does not exist/],
    ['a device that is none', { local: { path: '/' }, volumeMode: 'Block' }, /\/ is not a block device/],
    ['other kinds', { nfs: { server: 's', path: '/' } }, /persistent volumes of type nfs are not supported by this node/],
    ['a volume of another claim', { local: { path: '/' }, claimRef: { uid: 'other' } }, /found PV object "pv" with unexpected claimRef/],
    ['a claim that is not bound', { local: { path: '/' } }, /error processing PVC ns\/data: PVC is not bound/, { phase: 'Pending' }],
  ];
  for (const [says, spec, expected, options] of refusals) {
    it(`refuse ${says}`, async () => {
      await create(spec, options);
      await assert.rejects(volumes.setUp(pod(), addresses), expected);
    });
  }

  it('are of the Pod alone where they are ephemeral', async () => {
    const ephemeral: Volume = { name: 'v', ephemeral: { volumeClaimTemplate: { spec: {} } } };
    await create({ local: { path: disk() } }, { name: 'web-v', owner: 'another' });
    await assert.rejects(volumes.setUp(pod(ephemeral), addresses), /was not created for pod ns\/web \(pod is not owner\)/);
  });

  it('miss their claim', async () => {
    await assert.rejects(volumes.setUp(pod(), addresses), /failed to fetch PVC from API server: .*not found/);
  });
});
