import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { createUserNamespaces, userNamespaceOptions } from './user-namespaces.ts';

describe('user namespaces', () => {
  const setUp = (stored: ReadonlyMap<string, string> = new Map(), isSupported = true) => {
    const disk = new Map(stored);
    const files = {
      names: async () => [...disk.keys()].map((path) => path.split('/')[2] ?? ''),
      findText: async (path: string) => disk.get(path),
      write: async (path: string, text: string) => void disk.set(path, text),
    } as unknown as HostFiles;
    return { disk, users: createUserNamespaces({ files, podsDirectory: '/pods', maxPods: 3, isSupported: async () => isSupported }) };
  };
  const pod = (uid: string, hostUsers?: boolean): Pod => ({
    metadata: { uid },
    spec: { containers: [], ...(hostUsers === undefined ? {} : { hostUsers }) },
  });

  it('are for those that ask for one, and never shared', async () => {
    const { users, disk } = setUp();
    assert.equal(await users.rangeOf(pod('a'), ''), undefined);
    assert.equal(await users.rangeOf(pod('a', true), ''), undefined);
    const ranges = await Promise.all(['a', 'b'].map((uid) => users.rangeOf(pod(uid, false), '')));
    assert.deepEqual(ranges, [65_536, 131_072]);
    assert.equal(await users.rangeOf(pod('a', false), ''), 65_536);
    assert.equal(disk.get('/pods/b/userns'), '131072');
    users.forget('a');
    assert.equal(await users.rangeOf(pod('c', false), ''), 65_536);
  });

  it('are remembered over a restart, and run out', async () => {
    const { users } = setUp(new Map([['/pods/old/userns', '65536']]));
    assert.equal(await users.rangeOf(pod('new', false), ''), 131_072);
    assert.equal(await users.rangeOf(pod('newer', false), ''), 196_608);
    await assert.rejects(users.rangeOf(pod('newest', false), ''), /could not find an empty slot/);
  });

  it('need a runtime that knows them', async () => {
    const { users } = setUp(new Map(), false);
    await assert.rejects(users.rangeOf(pod('a', false), 'kata'), /RuntimeClass handler "kata" does not support user namespaces/);
  });

  it('map all ids of the Pod', () => {
    const mapping = [{ host_id: 65_536, container_id: 0, length: 65_536 }];
    assert.deepEqual(userNamespaceOptions(65_536), { userns_options: { mode: 'POD', uids: mapping, gids: mapping } });
    assert.deepEqual(userNamespaceOptions(undefined), {});
  });
});
