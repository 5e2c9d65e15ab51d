import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { startStorageDriver, type StorageDriver } from '../../framework/storage-driver.ts';
import { runSuccessfully } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/guestbook.ts';

const namespace = 'volumes';

/** Manifests as JSON, which kubectl takes as well. */
const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
const idle = { name: 'main', image: testImages.busybox, command: ['sleep', '3600'] };
const mounted = (name: string, mountPath: string, more: object = {}) => ({ name, mountPath, ...more });

describe('volumes', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  const run = (...args: string[]) => cluster.run(['--namespace', namespace, ...args], { timeoutSeconds: 120 });
  const apply = (input: string) => cluster.run(['--namespace', namespace, 'apply', '-f', '-'], { input });
  const inPod = (pod: string, ...command: string[]) => run('exec', pod, '--', ...command);
  const nodeFolder = (name: string) => path.join(cluster.dataDir, 'node', name);
  const localVolumes = () => (existsSync(nodeFolder('local-volumes')) ? readdirSync(nodeFolder('local-volumes')) : []);
  const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');

  before(async () => {
    cluster = await startCluster({ node: true });
    await cluster.run(['create', 'namespace', namespace]);
  });
  after(() => cluster?.stop());

  const statefulSet = (replicas: number) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db' },
    spec: {
      replicas,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: {
          terminationGracePeriodSeconds: 0,
          securityContext: { runAsUser: 1000, fsGroup: 2000 },
          containers: [{ ...idle, volumeMounts: [mounted('data', '/data'), mounted('data', '/part', { subPath: 'deep/part' })] }],
        },
      },
      volumeClaimTemplates: [
        { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      ],
    },
  });

  it('of a StatefulSet keep what each of its Pods has written, whatever becomes of the Pods', async () => {
    await apply(list(statefulSet(2)));
    await run('rollout', 'status', 'statefulset/db', '--timeout=60s');
    for (const pod of ['db-0', 'db-1']) await inPod(pod, 'sh', '-c', 'hostname > /data/name && echo part > /part/file');
    assert.equal((await inPod('db-0', 'cat', '/data/deep/part/file')).trim(), 'part');
    assert.equal((await inPod('db-0', 'stat', '-c', '%g', '/data/name')).trim(), '2000');
    await run('delete', 'pod', 'db-0', 'db-1');
    await run('rollout', 'status', 'statefulset/db', '--timeout=60s');
    for (const pod of ['db-0', 'db-1']) assert.equal((await inPod(pod, 'cat', '/data/name')).trim(), pod);
    assert.equal(localVolumes().length, 2);
  });

  it('stay when the set goes, and go with their claims, though the agent was killed meanwhile', async () => {
    await run('delete', 'statefulset', 'db');
    await run('wait', '--for=delete', 'pod/db-0', 'pod/db-1', '--timeout=60s');
    assert.equal((await run('get', 'pvc', '-o', 'jsonpath={.items[*].status.phase}')).trim(), 'Bound Bound');
    const pidFile = nodeFolder('agent.pid');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await run('delete', 'pvc', '--all', '--wait=false');
    await until('another agent', async () => Number(readFileSync(pidFile, 'utf8')) !== pid, 30);
    await until('no volumes', async () => (await run('get', 'pv', '-o', 'name')).trim() === '', 60);
    assert.deepEqual(localVolumes(), []);
  });

  it('may be made for one Pod and go with it', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const scratch = { name: 'scratch', ephemeral: { volumeClaimTemplate: { spec } } };
    const containers = [{ ...idle, volumeMounts: [mounted('scratch', '/scratch')] }];
    const pod = { terminationGracePeriodSeconds: 0, containers, volumes: [scratch] };
    await apply(list({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: pod }));
    await run('wait', '--for=condition=Ready', 'pod/one', '--timeout=60s');
    await inPod('one', 'touch', '/scratch/file');
    assert.equal(localVolumes().length, 1);
    await run('delete', 'pod', 'one');
    await until('no volumes', async () => (await run('get', 'pv', '-o', 'name')).trim() === '', 60);
    assert.deepEqual(localVolumes(), []);
  });

  describe('of a storage driver', () => {
    const driverName = 'test.csi.kubets.io';
    let driver: StorageDriver;
    let disk: string;
    before(async () => {
      disk = path.join(cluster.dataDir, 'disk');
      mkdirSync(disk);
      driver = await startStorageDriver({
        name: driverName,
        directory: nodeFolder(`plugins/${driverName}`),
        registry: nodeFolder('plugins_registry'),
        capabilities: ['STAGE_UNSTAGE_VOLUME'],
        async publish({ target_path: target, volume_id: id, readonly }) {
          mkdirSync(path.join(disk, id), { recursive: true });
          mkdirSync(target, { recursive: true });
          await runSuccessfully('mount', ['--bind', path.join(disk, id), target]);
          if (readonly) await runSuccessfully('mount', ['-o', 'remount,bind,ro', target]);
        },
        async unpublish(target) {
          if (mounts().includes(` ${target} `)) await runSuccessfully('umount', [target]);
          rmSync(target, { recursive: true, force: true });
        },
      });
      await apply(
        list({
          apiVersion: 'storage.k8s.io/v1',
          kind: 'CSIDriver',
          metadata: { name: driverName },
          spec: { attachRequired: false, podInfoOnMount: true, fsGroupPolicy: 'File', volumeLifecycleModes: ['Persistent', 'Ephemeral'] },
        }),
      );
      await until(
        'the CSINode',
        async () => (await run('get', 'csinode', '-o', 'jsonpath={.items[*].spec.drivers[*].name}')) === driverName,
      );
    });
    after(() => driver?.stop());

    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'disk' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        storageClassName: '',
        persistentVolumeReclaimPolicy: 'Retain',
        csi: { driver: driverName, volumeHandle: 'disk-1' },
      },
    };
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'disk' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', volumeName: 'disk', resources: { requests: { storage: '1Gi' } } },
    };
    const pod = (name: string, source: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 0,
        securityContext: { fsGroup: 3000 },
        containers: [{ ...idle, volumeMounts: [mounted('disk', '/disk')] }],
        volumes: [{ name: 'disk', ...source }],
      },
    });

    it('are staged, published, given to the fsGroup and taken back', async () => {
      await apply(list(volume, claim, pod('writer', { persistentVolumeClaim: { claimName: 'disk' } })));
      await run('wait', '--for=condition=Ready', 'pod/writer', '--timeout=60s');
      await inPod('writer', 'sh', '-c', 'echo written > /disk/file');
      assert.equal(readFileSync(path.join(disk, 'disk-1/file'), 'utf8'), 'written\n');
      assert.equal(statSync(path.join(disk, 'disk-1')).gid, 3000);
      assert.equal(driver.published[0]?.volume_context['csi.storage.k8s.io/pod.name'], 'writer');
      await run('delete', 'pod', 'writer');
      await until('it is taken back', async () => driver.calls.includes('unstage disk-1'), 30);
      assert.deepEqual(driver.calls, ['stage disk-1', 'publish disk-1', 'unpublish disk-1', 'unstage disk-1']);
      assert.ok(!mounts().includes('kubernetes.io~csi'), 'it is still mounted');
    });

    it('are taken back by the next agent when one was killed', async () => {
      driver.calls.length = 0;
      await apply(list(pod('inline', { csi: { driver: driverName } })));
      await run('wait', '--for=condition=Ready', 'pod/inline', '--timeout=60s');
      const pidFile = nodeFolder('agent.pid');
      const pid = Number(readFileSync(pidFile, 'utf8'));
      process.kill(pid, 'SIGKILL');
      await run('delete', 'pod', 'inline', '--force', '--grace-period=0');
      await until('another agent', async () => Number(readFileSync(pidFile, 'utf8')) !== pid, 30);
      await until('it is taken back', async () => driver.calls.some((call) => call.startsWith('unpublish')), 60);
      await until('its folder is gone', async () => !mounts().includes('kubernetes.io~csi'), 30);
    });
  });
});
