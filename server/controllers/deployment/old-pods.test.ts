import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import { hasOldPods } from './old-pods.ts';

const setOf = (replicas?: number) => ({ metadata: { name: 'old' }, ...(replicas === undefined ? {} : { status: { replicas } }) });
type Phase = NonNullable<NonNullable<Pod['status']>['phase']>;
const podOf = (phase: Phase): Pod => ({ metadata: { name: phase.toLowerCase() }, spec: { containers: [] }, status: { phase } });

describe('Pods of an old template, before Recreate starts new ones', () => {
  const cases: [name: string, expected: boolean, replicas: number | undefined, phases: readonly Phase[]][] = [
    ['there never were any', false, undefined, []],
    ['all are gone', false, 0, []],
    ['one runs', true, 0, ['Running']],
    ['one has no phase that is known', true, 0, ['Unknown']],
    ['all are finished', false, 0, ['Succeeded', 'Failed']],
    ['all are gone, and the status of their ReplicaSet is late', true, 1, []],
  ];
  for (const [name, expected, replicas, phases] of cases)
    it(name, () => assert.equal(hasOldPods(setOf(replicas), phases.map(podOf)), expected));
});
