import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createProgress } from './progress.ts';

describe('progress on a terminal', () => {
  it('tells how long each step took, and counts stopping from its beginning', () => {
    let nowMs = 0;
    const stream = new PassThrough({ encoding: 'utf8' });
    const progress = createProgress(stream as never, () => nowMs);
    nowMs = 1500;
    progress.done('ready');
    nowMs = 4_632_800;
    progress.begin('stopping; pods have 30 s to end ...');
    nowMs += 2000;
    progress.done('pods and nodes');
    assert.equal(stream.read(), '✓ ready 1.5 s\n  stopping; pods have 30 s to end ...\n✓ pods and nodes 2.0 s\n');
  });
});
