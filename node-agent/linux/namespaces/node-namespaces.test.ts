import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../api/base/system-clock.ts';
import { runProgram } from '../processes/run-program.ts';
import { pauseProgram } from '../runtime/pause-image.ts';
import { createNodeNamespaces } from './node-namespaces.ts';

describe('a node within the machine', function () {
  this.timeout(60_000);

  before(function () {
    if (process.getuid?.() !== 0 || !existsSync(pauseProgram)) this.skip();
  });

  it('has mounts of its own, which propagate to those who share them within it and not to the host', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-node-'));
    const plan = { name: 'propagation', directory, cgroup: `/kubets-test-${process.pid}`, privateFolders: [] };
    const namespaces = createNodeNamespaces(plan, { clock: systemClock });
    mkdirSync(`${directory}/host-path`);
    try {
      const { pid } = await namespaces.ensure();
      const run = async (...command: string[]) => {
        const [program = '', ...args] = await namespaces.enter(pid);
        return runProgram(program, [...args, ...command]);
      };
      // As a runtime shows a hostPath volume to a container: in a mount namespace that shares it with the node's.
      await run(
        ...['unshare', '--mount', '--propagation', 'unchanged', 'mount', '-t', 'tmpfs', 'from-a-container', `${directory}/host-path`],
      );
      await run('grep', '--quiet', 'from-a-container', '/proc/self/mountinfo');
      assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /from-a-container/);
    } finally {
      await namespaces.end();
      rmSync(directory, { recursive: true });
    }
  });
});
