import assert from 'node:assert/strict';
import { formatTime } from '../../../api/meta/time.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import { earlierNodes, isReadySince } from './heard-from.ts';

const startMs = Date.UTC(2026, 0, 1, 12, 0, 7) + 400;

function node(resourceVersion: string, heartbeatMs: number, status = 'True'): Node {
  const heartbeat = formatTime(heartbeatMs);
  const conditions = [{ type: 'Ready', status, lastHeartbeatTime: heartbeat, lastTransitionTime: heartbeat }];
  return { metadata: { name: 'n1', resourceVersion }, status: { conditions } };
}

describe('nodes that are ready since the start', () => {
  const before = earlierNodes([node('5', startMs - 90_000)], startMs);

  it('not one that was ready before and has not been heard from', () =>
    assert.equal(isReadySince(node('5', startMs - 90_000), before), false));
  it('not one that only others have written', () => assert.equal(isReadySince(node('6', startMs - 90_000), before), false));
  it('not one that says it is not', () => assert.equal(isReadySince(node('6', startMs + 100, 'False'), before), false));
  it('one that has said so since, also within the same second', () => {
    assert.equal(isReadySince(node('6', startMs + 100), before), true);
    assert.equal(isReadySince(node('6', startMs + 9000), before), true);
  });
  it('a new one', () => assert.equal(isReadySince(node('6', startMs + 2000), earlierNodes([], startMs)), true));
});
