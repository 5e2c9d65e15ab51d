import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runProgram } from '../processes/run-program.ts';
import { sandboxNetworkNamespaces } from './sandbox-network-namespaces.ts';

describe('network namespaces of sandboxes', function () {
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  it('are left over when no process is in them, and go', async () => {
    const containerd = mkdtempSync(path.join(os.tmpdir(), 'kubets-netns-'));
    const directory = `${containerd}/state/io.containerd.grpc.v1.cri/netns`;
    mkdirSync(directory, { recursive: true });
    const part = sandboxNetworkNamespaces(containerd);
    const file = (name: string) => `${directory}/${name}`;
    for (const name of ['used', 'left', 'begun']) writeFileSync(file(name), '');
    await runProgram('unshare', [`--net=${file('left')}`, 'true']);
    const user = spawn('unshare', [`--net=${file('used')}`, 'sh', '-c', 'echo ready; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(user.stdout, 'data');
      assert.deepEqual((await part.list()).toSorted(), ['begun', 'left']);
      for (const name of await part.list()) await part.remove(name);
      assert.deepEqual(
        ['used', 'left', 'begun'].filter((name) => existsSync(file(name))),
        ['used'],
      );
    } finally {
      user.kill('SIGKILL');
      await once(user, 'exit');
      for (const name of await part.list()) await part.remove(name);
      rmSync(containerd, { recursive: true });
    }
    assert.deepEqual(await part.list(), []);
  });
});
