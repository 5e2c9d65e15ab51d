import assert from 'node:assert/strict';
import type { RuntimeCondition } from '../../cri/messages.ts';
import type { CgroupDriver as RuntimeDriver } from '../../cri/runtime.ts';
import type { CgroupDriver } from '../../linux/cgroups/cgroup-names.ts';
import { runtimeProblems } from './runtime-problems.ts';

describe('problems of a container runtime', () => {
  const condition = (type: string, status: boolean): RuntimeCondition => ({ type, status, reason: 'R', message: 'm' });
  const cases: [string, RuntimeCondition[], RuntimeDriver | undefined, string[], CgroupDriver?][] = [
    ['none', [condition('RuntimeReady', true), condition('NetworkReady', true)], 'CGROUPFS', []],
    ['none that it tells of', [condition('RuntimeReady', true)], undefined, []],
    ['itself', [condition('RuntimeReady', false)], undefined, ['container runtime not ready: RuntimeReady=false reason:R message:m']],
    [
      'its network',
      [condition('NetworkReady', false)],
      undefined,
      ['container runtime network not ready: NetworkReady=false reason:R message:m'],
    ],
    ['what it only warns of', [condition('ContainerdHasNoDeprecationWarnings', false)], 'CGROUPFS', []],
    [
      'cgroups that somebody else makes',
      [condition('RuntimeReady', true)],
      'SYSTEMD',
      ["container runtime not usable: its cgroup driver is systemd, and the node agent's is cgroupfs: start the node agent again"],
    ],
    ['cgroups that systemd makes for both', [condition('RuntimeReady', true)], 'SYSTEMD', [], 'systemd'],
  ];
  for (const [name, conditions, driver, expected, own = 'cgroupfs'] of cases)
    it(name, () => assert.deepEqual(runtimeProblems(conditions, driver, own), expected));
});
