import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { ContainerState, ListedContainer, Sandbox } from '../../cri/messages.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { CgroupTreeUsage, CgroupUsage, NodeUsage } from '../../linux/machine/node-usage.ts';
import { renderFamilies } from './metric-text.ts';
import { resourceMetrics } from './resource-metrics.ts';
import { readResourceUsage } from './resource-usage.ts';

const nowMs = 1_700_000_000_000;
const memory = { usageBytes: 100, workingSetBytes: 60, rssBytes: 50, pageFaults: 4, majorPageFaults: 1 };
const used = (cpuNanoSeconds: number): CgroupUsage => ({ cpuNanoSeconds, memory, memoryLimitBytes: undefined, swapBytes: 8 });
const node: NodeUsage = {
  cpuNanoSeconds: 5e9,
  memory: { ...memory, capacityBytes: 1000, availableBytes: 940 },
  swap: { usageBytes: 1, availableBytes: 2 },
  ...{ interfaces: [], defaultInterface: undefined, processes: { max: 100, current: 9 } },
};
const sandbox = (id: string, uid: string, state: Sandbox['state'] = 'SANDBOX_READY'): Sandbox => ({
  ...{ id, state, metadata: { name: `pod-${uid}`, uid, namespace: 'n', attempt: 0 }, created_at: '0', annotations: {}, labels: {} },
});
const container = (id: string, name: string, second: number, state: ContainerState = 'CONTAINER_RUNNING') =>
  ({ id, pod_sandbox_id: 's1', metadata: { name, attempt: 0 }, state, created_at: String(second * 1e9) }) as unknown as ListedContainer;

describe('resource usage', () => {
  const read = (trees: Readonly<Record<string, CgroupTreeUsage>>, driver: 'cgroupfs' | 'systemd' = 'cgroupfs') =>
    readResourceUsage({
      runtime: {
        listPodSandboxes: async () => [sandbox('s1', 'u1'), sandbox('s0', 'u1', 'SANDBOX_NOTREADY'), sandbox('s2', 'gone')],
        listContainers: async () => [
          container('old', 'main', 10, 'CONTAINER_EXITED'),
          container('new', 'main', 20),
          container('i', 'init', 5, 'CONTAINER_EXITED'),
        ],
      },
      usage: { node: async () => node, tree: async (name) => trees[name] },
      clock: createManualClock(nowMs),
      cgroupNames: cgroupNames(driver, '/kubepods'),
    });

  for (const [driver, name, child] of [
    ['cgroupfs', '/kubepods/burstable/podu1', 'new'],
    ['systemd', '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podu1.slice', 'cri-containerd-new.scope'],
  ] as const) {
    it(`is read from cgroups of ${driver}, of containers that run`, async () => {
      const usage = await read(
        {
          [name]: {
            usage: used(3e9),
            children: new Map([
              ['pause', used(1e9)],
              [child, used(2e9)],
            ]),
          },
        },
        driver,
      );
      const lines = renderFamilies(resourceMetrics(usage))
        .split('\n')
        .filter((line) => !line.startsWith('#'));
      assert.deepEqual(
        lines.filter((line) => line.startsWith('container_')),
        [
          `container_cpu_usage_seconds_total{container="main",namespace="n",pod="pod-u1"} 2 ${nowMs}`,
          `container_memory_working_set_bytes{container="main",namespace="n",pod="pod-u1"} 60 ${nowMs}`,
          'container_start_time_seconds{container="main",namespace="n",pod="pod-u1"} 20',
          `container_swap_usage_bytes{container="main",namespace="n",pod="pod-u1"} 8 ${nowMs}`,
        ],
      );
      assert.ok(lines.includes(`pod_cpu_usage_seconds_total{namespace="n",pod="pod-u1"} 3 ${nowMs}`));
      assert.ok(lines.includes(`node_cpu_usage_seconds_total 5 ${nowMs}`));
    });
  }

  it('is asked of the runtime where Pods have their cgroups elsewhere', async () => {
    assert.equal(await read({}), undefined);
  });
});
