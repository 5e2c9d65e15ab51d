import type { PodState, PodStateName } from './pod-state.ts';
import { admitting } from './states/admitting.ts';
import { preparing } from './states/preparing.ts';
import { removing } from './states/removing.ts';
import { running } from './states/running.ts';
import { sandboxing } from './states/sandboxing.ts';
import { terminated } from './states/terminated.ts';
import { terminating } from './states/terminating.ts';

/**
 * The life of a Pod on a node:
 *
 *     admitting -> preparing -> sandboxing <-> running
 *         |            |            |             |
 *         +------------+------------+-------------+--> terminating -> terminated -> removing -> removed
 *
 * After a restart of the agent every Pod begins at admitting again and walks through, doing only what is not done yet.
 */
export const transitions: Readonly<Record<PodStateName, readonly PodStateName[]>> = {
  admitting: ['admitting', 'preparing', 'terminating'],
  preparing: ['preparing', 'sandboxing', 'terminating'],
  sandboxing: ['sandboxing', 'running', 'terminating'],
  running: ['running', 'sandboxing', 'terminating'],
  terminating: ['terminating', 'terminated'],
  terminated: ['terminated', 'removing'],
  removing: ['removing', 'removed'],
  removed: ['removed'],
};

export const states: Readonly<Record<PodStateName, PodState>> = {
  admitting,
  preparing,
  sandboxing,
  running,
  terminating,
  terminated,
  removing,
  removed: async () => ({ to: 'removed' }),
};

/** The state in which the next step is taken: a Pod that has to stop leaves whatever it is in. */
export function interrupted(state: PodStateName, mustStop: boolean): PodStateName {
  return mustStop && transitions[state].includes('terminating') ? 'terminating' : state;
}
