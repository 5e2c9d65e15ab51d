import assert from 'node:assert/strict';
import { findOrphans } from './orphans.ts';

describe('orphans of sandboxes', () => {
  const known = new Set(['runs']);
  const search = { present: ['runs', 'gone', 'gone'], known, suspects: new Map(), nowMs: 1000, oldestCreationMs: undefined };

  it('are only suspected at first', () => {
    assert.deepEqual(findOrphans(search), { orphans: [], suspects: new Map([['gone', 1000]]) });
  });

  it('are orphans when they were suspected for a while', () => {
    const suspects = new Map([['gone', 1000]]);
    assert.deepEqual(findOrphans({ ...search, suspects, nowMs: 20_999 }), { orphans: [], suspects });
    assert.deepEqual(findOrphans({ ...search, suspects, nowMs: 21_000 }), { orphans: ['gone'], suspects: new Map() });
  });

  it('are none while they may still be in the making', () => {
    const suspects = new Map([['gone', 1000]]);
    assert.deepEqual(findOrphans({ ...search, suspects, nowMs: 60_000, oldestCreationMs: 900 }).orphans, []);
    assert.deepEqual(findOrphans({ ...search, suspects, nowMs: 60_000, oldestCreationMs: 1100 }).orphans, ['gone']);
  });

  it('are not suspected any more when their sandbox is complete', () => {
    const suspects = new Map([['runs', 500]]);
    assert.deepEqual(findOrphans({ ...search, present: ['runs'], suspects }), { orphans: [], suspects: new Map() });
  });
});
