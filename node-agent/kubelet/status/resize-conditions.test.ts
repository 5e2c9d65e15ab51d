import assert from 'node:assert/strict';
import type { Pod, PodCondition } from '../../../api/types/core-v1.ts';
import { podConditions, type ResizeProgress } from './pod-conditions.ts';
import { statusPatch } from './status-patch.ts';

const pod: Pod = { metadata: { name: 'p', generation: 4 }, spec: { containers: [] } };

function shown(resize: ResizeProgress): string[] {
  const common = { pod, phase: 'Running', initStatuses: [], statuses: [], hasSandbox: true, now: '2026-01-02T03:04:05Z' } as const;
  return podConditions({ ...common, resize })
    .filter(({ type }) => type.startsWith('PodResize'))
    .map(({ type, status, reason = '', message = '', observedGeneration }) =>
      [type, status, reason, message, observedGeneration].join(' '),
    );
}

describe('conditions of a resize', () => {
  it('are there only while it lasts', () => {
    assert.deepEqual(shown({ pending: undefined, progress: undefined }), []);
    assert.deepEqual(shown({ pending: { reason: 'Deferred', message: 'full' }, progress: undefined }), [
      'PodResizePending True Deferred full 4',
    ]);
    assert.deepEqual(shown({ pending: undefined, progress: {} }), ['PodResizeInProgress True   4']);
    assert.deepEqual(shown({ pending: undefined, progress: { problem: 'busy' } }), ['PodResizeInProgress True Error busy 4']);
  });

  it('are taken away when it is over, those of others are not', () => {
    const condition = (type: string): PodCondition => ({ type, status: 'True' });
    const present = { conditions: ['Ready', 'Custom', 'PodResizePending', 'PodResizeInProgress'].map(condition) };
    const patch = statusPatch(present, { conditions: ['Ready', 'PodResizeInProgress'].map(condition) });
    assert.deepEqual(patch, { conditions: [{ $patch: 'delete', type: 'PodResizePending' }] });
  });
});
