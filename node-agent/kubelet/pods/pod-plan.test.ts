import assert from 'node:assert/strict';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { PodContext } from './pod-state.ts';
import { sandboxConfigOf } from './pod-plan.ts';

describe('the cgroup of a Pod, as the runtime is told of it', () => {
  const pod = { metadata: { name: 'p', namespace: 'n', uid: 'a-1' }, status: { qosClass: 'BestEffort' } };
  for (const [driver, expected] of [
    ['cgroupfs', '/kubepods/besteffort/poda-1'],
    ['systemd', '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-poda_1.slice'],
  ] as const)
    it(`is a whole path with ${driver}: containerd opens it where it is asked for statistics`, async () => {
      const services = {
        cgroupNames: cgroupNames(driver, '/kubepods'),
        paths: { podLogDirectory: () => '/logs' },
        dns: async () => undefined,
        clusterDomain: 'cluster.local',
      };
      const { linux } = await sandboxConfigOf({ pod, services } as unknown as PodContext, 0);
      assert.equal(linux?.cgroup_parent, expected);
    });
});
