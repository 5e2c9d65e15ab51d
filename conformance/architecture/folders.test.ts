import assert from 'node:assert/strict';
import path from 'node:path';
import { sources } from './sources.ts';

/** A reader sees a folder of this size at one glance; a larger one holds two sorts of things. */
const maxFiles = 24;

describe('architecture: folders', function () {
  this.timeout(180_000);

  it(`no folder has more than ${maxFiles} files besides tests`, () => {
    const counts = new Map<string, number>();
    for (const { path: file, isTest } of sources()) {
      const folder = path.posix.dirname(file);
      if (!isTest) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    const full = [...counts].filter(([, count]) => count > maxFiles).map(([folder, count]) => `${folder} has ${count} files`);
    assert.deepEqual(full, []);
  });
});
