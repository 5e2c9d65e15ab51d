import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPluginDirectory, neededPlugins } from './plugin-directory.ts';

describe('the directory of CNI plugins', () => {
  let root: string;
  before(async () => void (root = await mkdtemp(path.join(tmpdir(), 'kubets-plugins-'))));
  after(() => rm(root, { recursive: true }));

  it('is the first that has them all', async () => {
    const [none, some, all] = ['none', 'some', 'all'].map((name) => path.join(root, name)) as [string, string, string];
    for (const [directory, plugins] of [
      [some, neededPlugins.slice(1)],
      [all, neededPlugins],
    ] as const) {
      await mkdir(directory);
      for (const plugin of plugins) await writeFile(path.join(directory, plugin), '');
    }
    assert.equal(await findPluginDirectory([none, some, all]), all);
    assert.equal(await findPluginDirectory([all, some]), all);
    assert.equal(await findPluginDirectory([none, some]), none);
  });
});
