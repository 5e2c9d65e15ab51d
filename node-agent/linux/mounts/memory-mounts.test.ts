import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createMounts } from './mounts.ts';

describe('memory file systems', () => {
  it('are of their size and never swapped out, where the kernel can promise that', async function () {
    if (os.userInfo().uid !== 0) return this.skip();
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-mount-'));
    const mounts = createMounts();
    try {
      try {
        await mounts.mountMemory(directory, { sizeBytes: 1 << 20 });
      } catch {
        return this.skip(); // nobody may mount here
      }
      const line =
        readFileSync('/proc/self/mounts', 'utf8')
          .split('\n')
          .find((one) => one.split(' ')[1] === directory) ?? '';
      assert.match(line, /[ ,]size=1024k/);
      const [major = 0, minor = 0] = os.release().split('.').map(Number);
      if (major > 6 || (major === 6 && minor >= 4)) assert.match(line, /[ ,]noswap/);
    } finally {
      await mounts.unmount(directory);
      rmSync(directory, { recursive: true });
    }
  });
});
