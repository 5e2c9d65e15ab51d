import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { Cgroups } from '../../linux/cgroups/cgroups.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { nodePaths } from '../../node-paths.ts';
import { removeLeftovers } from './remove-leftovers.ts';

describe('leftovers of deleted Pods', () => {
  let directory: string;
  before(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-leftovers-'))));
  after(() => rmSync(directory, { recursive: true }));

  /** The machine's cgroups, which the runtime of this node knows nothing of. */
  const machine = (cgroups: string[], failing: readonly string[] = []) => {
    const named = (name: string) => cgroups.filter((one) => one === name);
    const part: Pick<Cgroups, 'children' | 'kill' | 'remove'> = {
      children: async (name) => cgroups.flatMap((one) => (path.dirname(one) === name ? [path.basename(one)] : [])),
      async kill(name) {
        assert.doesNotMatch(name, /podother|podhere/);
      },
      async remove(name) {
        if (failing.includes(name)) return false;
        for (const one of named(name)) cgroups.splice(cgroups.indexOf(one), 1);
        return true;
      },
    };
    return part as Cgroups;
  };

  const remove = async (cgroups: Cgroups, known: readonly string[] = [], bound: readonly string[] | Error = []) => {
    const files = createHostFiles();
    const paths = nodePaths(directory);
    const runtime: Pick<ContainerRuntime, 'name' | 'listPodSandboxes' | 'listContainers'> = {
      name: async () => 'containerd',
      listPodSandboxes: async () => [],
      listContainers: async () => [],
    };
    return await removeLeftovers({
      ...{ clock: createManualClock(), logger: silentLogger, files, paths, cgroups, cgroupNames: cgroupNames('cgroupfs', '/kubepods') },
      runtime: runtime as ContainerRuntime,
      isKnown: (uid) => known.includes(uid),
      async listBoundPods() {
        if (bound instanceof Error) throw bound;
        return new Set(bound);
      },
      tearDownVolumes: (uid) => files.remove(`${paths.pods}/${uid}`),
    });
  };

  it('are cleared away where this node had the Pod, and left alone where another node of the machine has it', async () => {
    const files = createHostFiles();
    const { pods } = nodePaths(directory);
    for (const uid of ['gone', 'here']) await files.makeDirectory(`${pods}/${uid}`);
    const cgroups = ['/kubepods/podgone', '/kubepods/podhere', '/kubepods/podother', '/kubepods/besteffort/podother2'];
    assert.deepEqual(await remove(machine(cgroups), ['here']), { isComplete: true });
    assert.deepEqual(cgroups, ['/kubepods/podhere', '/kubepods/podother', '/kubepods/besteffort/podother2']);
    assert.deepEqual(await files.names(pods), ['here']);
  });

  it('are known by the folder until all else is gone', async () => {
    const files = createHostFiles();
    const { pods } = nodePaths(directory);
    await files.makeDirectory(`${pods}/busy`);
    const cgroups = ['/kubepods/burstable/podbusy'];
    assert.deepEqual(await remove(machine(cgroups, cgroups.slice()), ['here']), { isComplete: false });
    assert.deepEqual((await files.names(pods)).sort(), ['busy', 'here']);
    assert.deepEqual(await remove(machine(cgroups), ['here']), { isComplete: true });
    assert.deepEqual(await files.names(pods), ['here']);
  });

  it('are none of what the API has, though the cache lags behind, nor while the API does not answer', async () => {
    const files = createHostFiles();
    const { pods, podLogs } = nodePaths(directory);
    const both = [`${pods}/late`, `${podLogs}/default_web_late`];
    for (const folder of both) await files.makeDirectory(folder);
    const cgroups = ['/kubepods/podlate'];
    const areThere = async () => await Promise.all(both.map(async (folder) => (await files.facts(folder)) !== undefined));
    assert.deepEqual(await remove(machine(cgroups), ['here'], ['late']), { isComplete: false });
    assert.deepEqual([cgroups, await areThere()], [['/kubepods/podlate'], [true, true]]);
    await assert.rejects(remove(machine(cgroups), ['here'], new Error('no connection')), /no connection/);
    assert.deepEqual([cgroups, await areThere()], [['/kubepods/podlate'], [true, true]]);
    assert.deepEqual(await remove(machine(cgroups), ['here']), { isComplete: true });
    assert.deepEqual([cgroups, await areThere()], [[], [false, false]]);
  });
});
