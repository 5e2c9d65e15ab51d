import assert from 'node:assert/strict';
import { createClient } from '../../../api/client/create-client.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import type { BoundVolume } from './bound-volume.ts';
import { createLocalVolumes } from './local-volumes.ts';

describe('local volumes that have grown', () => {
  for (const [kind, steps] of [
    ['directory', ['bind /disk']],
    ['blockDevice', ['mount /disk', 'grow /disk', 'bind /plugins/kubernetes.io/local-volume/mounts/v']],
  ] as const)
    it(`tell their claims: a ${kind}`, async () => {
      const client = createClient(new ObjectServer().transport);
      const done: string[] = [];
      const claim = await client(persistentVolumeClaims).create({
        metadata: { namespace: 'default', name: 'c' },
        status: {
          capacity: { storage: '1Gi' },
          conditions: [{ type: 'FileSystemResizePending', status: 'True' }],
          allocatedResourceStatuses: { storage: 'NodeResizePending' },
        },
      });
      const volumes = createLocalVolumes({
        client,
        files: { facts: async () => ({ kind }), makeDirectory: async () => {} },
        mounts: { isMounted: async () => false, bind: async (source: string) => void done.push(`bind ${source}`) },
        devices: {
          mount: async (device: string) => void done.push(`mount ${device}`),
          grow: async (device: string) => void done.push(`grow ${device}`),
        },
        paths: { pods: '/pods', plugins: '/plugins' },
      } as never);
      const volume = { metadata: { name: 'v' }, spec: { capacity: { storage: '2Gi' }, local: { path: '/disk' } } };
      await volumes.setUp({ metadata: { uid: 'u' }, spec: { containers: [] } }, { volume, claim } as BoundVolume);
      const { status } = await client(persistentVolumeClaims).get({ namespace: 'default', name: 'c' });
      assert.deepEqual([status?.capacity, status?.conditions, status?.allocatedResourceStatuses], [{ storage: '2Gi' }, [], {}]);
      assert.deepEqual(done, steps);
    });
});
