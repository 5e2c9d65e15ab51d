import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Pod, VolumeMount } from '../../../api/types/core-v1.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { createMounts } from '../../linux/mounts/mounts.ts';
import { nodePaths } from '../../node-paths.ts';
import { containerMounts } from './container-mounts.ts';

describe('what a container has mounted', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(`${tmpdir()}/container-mounts-`);
  });
  after(() => rm(directory, { recursive: true }));

  const of = async (mount: Omit<VolumeMount, 'mountPath'>, canBeRecursive = false) => {
    const volumes = [
      { name: 'v', emptyDir: {} },
      { name: 'i', image: { reference: 'img:1' } },
      { name: 'config', configMap: { name: 'x' } },
      { name: 'secret', secret: { secretName: 'x' } },
      { name: 'projected', projected: { sources: [] } },
      { name: 'downward', downwardAPI: { items: [] } },
      { name: 'driver', csi: { driver: 'd', readOnly: true } },
    ];
    const container = { name: 'c', image: 'x', volumeMounts: [{ ...mount, mountPath: '/m' }] };
    const pod: Pod = { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { volumes, containers: [container] } };
    const [first] = await containerMounts({
      files: createHostFiles(),
      mounts: createMounts(),
      paths: nodePaths(directory),
      ...{ pod, container, hostsFile: '', restartCount: 0 },
      volumes: new Map(volumes.map(({ name }) => [name, '/volume'])),
      images: new Map([['i', { id: 'sha256:1', reference: 'img:1' }]]),
      canBeRecursive: async () => canBeRecursive,
      environment: new Map([['A', 'a']]),
    });
    return first;
  };
  const plain = { container_path: '/m', host_path: '/volume', readonly: false, propagation: 'PROPAGATION_PRIVATE' };
  const image = { image: { image: 'sha256:1', user_specified_image: 'img:1' }, host_path: '', readonly: true };
  const cases: [string, Omit<VolumeMount, 'mountPath'>, boolean, object][] = [
    ['a volume', { name: 'v' }, true, plain],
    ['read-only', { name: 'v', readOnly: true, recursiveReadOnly: 'Disabled' }, true, { ...plain, readonly: true }],
    [
      'read-only with all within',
      { name: 'v', readOnly: true, recursiveReadOnly: 'Enabled' },
      true,
      { ...plain, readonly: true, recursive_read_only: true },
    ],
    ['where that is possible', { name: 'v', readOnly: true, recursiveReadOnly: 'IfPossible' }, false, { ...plain, readonly: true }],
    [
      'and it is',
      { name: 'v', readOnly: true, recursiveReadOnly: 'IfPossible' },
      true,
      { ...plain, readonly: true, recursive_read_only: true },
    ],
    ['an image', { name: 'i' }, false, { ...plain, ...image }],
    ['a folder of an image', { name: 'i', subPathExpr: 'etc/$(A)' }, false, { ...plain, ...image, image_sub_path: 'etc/a' }],
  ];
  for (const [name, mount, canBeRecursive, expected] of cases)
    it(name, async () => assert.deepEqual(await of(mount, canBeRecursive), expected));

  for (const name of ['config', 'secret', 'projected', 'downward', 'driver'])
    it(`a volume that no container may write: ${name}`, async () =>
      assert.deepEqual(await of({ name, readOnly: false }), { ...plain, readonly: true }));

  it('is refused where the runtime cannot do it', async () => {
    await assert.rejects(of({ name: 'v', readOnly: true, recursiveReadOnly: 'Enabled' }), {
      message:
        'failed to resolve recursive read-only mode: volume "v" requested recursive read-only mode, but it is not supported by the runtime',
    });
    await assert.rejects(of({ name: 'i', subPath: '../x' }), { message: 'invalid subPath "../x"' });
  });
});
