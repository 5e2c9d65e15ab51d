import assert from 'node:assert/strict';
import type { PodStateName } from './pod-state.ts';
import { interrupted, states, transitions } from './transitions.ts';

describe('transitions', () => {
  it('every state has a step and leads to the end', () => {
    assert.deepEqual(Object.keys(states).sort(), Object.keys(transitions).sort());
    for (const from of Object.keys(transitions) as PodStateName[]) {
      const reached = new Set<PodStateName>([from]);
      for (const state of reached) for (const next of transitions[state]) reached.add(next);
      assert.ok(reached.has('removed'), from);
    }
  });

  const cases: [PodStateName, PodStateName][] = [
    ['admitting', 'terminating'],
    ['preparing', 'terminating'],
    ['sandboxing', 'terminating'],
    ['running', 'terminating'],
    ['terminating', 'terminating'],
    ['terminated', 'terminated'],
    ['removing', 'removing'],
  ];
  for (const [from, to] of cases) {
    it(`${from} is interrupted to ${to}`, () => {
      assert.equal(interrupted(from, true), to);
      assert.equal(interrupted(from, false), from);
    });
  }
});
