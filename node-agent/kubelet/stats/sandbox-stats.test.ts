import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { CRIError } from '../../cri/cri-error.ts';
import type { ContainerStats, Sandbox, SandboxStats } from '../../cri/messages.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { CgroupUsage, UsageReader } from '../../linux/machine/node-usage.ts';
import { createSandboxStatsReader } from './sandbox-stats.ts';

const usage = (cpuNanoSeconds: number, workingSetBytes: number): CgroupUsage => ({
  cpuNanoSeconds,
  memory: { usageBytes: 2 * workingSetBytes, workingSetBytes, rssBytes: 1, pageFaults: 0, majorPageFaults: 0 },
  memoryLimitBytes: undefined,
});
const counters = (name: string, rxBytes: number) => ({ name, rxBytes, rxErrors: 0, txBytes: 0, txErrors: 0 });
const readers: UsageReader = {
  node: () => Promise.reject(new Error('not asked')),
  lastSwapBytes: () => undefined,
  cgroup: async (cgroup) => (cgroup === '/kubepods/podu1' ? usage(900, 90) : undefined),
  tree: () => Promise.reject(new Error('not asked')),
  pod: async (cgroup) =>
    cgroup === '/kubepods/besteffort/podu1'
      ? {
          usage: usage(700, 70),
          children: new Map([
            ['pause', usage(1, 1)],
            ['crio-c1', usage(500, 50)],
          ]),
          processes: 4,
          interfaces: [counters('net1', 3), counters('eth0', 9)],
          defaultInterface: 'eth0',
        }
      : undefined,
};
const sandbox = (id: string, uid: string, state: Sandbox['state'] = 'SANDBOX_READY'): Sandbox => ({
  ...{ id, state, metadata: { name: `pod-${uid}`, uid, namespace: 'n', attempt: 0 }, created_at: '0', annotations: {} },
  labels: { 'io.kubernetes.pod.uid': uid },
});
const containerStats = (id: string, name: string, uid: string): ContainerStats => ({
  attributes: { id, metadata: { name }, labels: { 'io.kubernetes.pod.uid': uid } },
  cpu: { timestamp: '5', usage_core_nano_seconds: { value: '8' }, usage_nano_cores: null },
  memory: null,
  writable_layer: { timestamp: '5', used_bytes: { value: '11' }, inodes_used: null },
  swap: null,
});

function readerOf(answer: () => Promise<readonly SandboxStats[]>) {
  const asked = { sandboxStats: 0 };
  const runtime = {
    listPodSandboxStats() {
      asked.sandboxStats++;
      return answer();
    },
    listPodSandboxes: async () => [sandbox('s1', 'u1'), sandbox('s0', 'u1', 'SANDBOX_NOTREADY'), sandbox('s2', 'gone')],
    listContainerStats: async () => [containerStats('c1', 'a', 'u1'), containerStats('c2', 'b', 'u1'), containerStats('c3', 'a', 'other')],
  } as unknown as ContainerRuntime;
  const read = createSandboxStatsReader({
    runtime,
    usage: readers,
    clock: createManualClock(2000),
    cgroupNames: cgroupNames('cgroupfs', '/kubepods'),
  });
  return { read, asked };
}

describe('what Pods use', () => {
  it('is what the runtime tells; a failure may be that of a Pod that just ended', async () => {
    const told: SandboxStats[] = [];
    const answers = [Promise.reject(new CRIError('Unknown', 'not running')), Promise.resolve(told)];
    const { read, asked } = readerOf(() => answers.shift() ?? Promise.reject(new CRIError('Unavailable', 'down')));
    assert.deepEqual(await read(), told);
    await assert.rejects(read(), { code: 'Unavailable' });
    assert.equal(asked.sandboxStats, 4);
  });

  it('is read from their cgroups as long as the runtime fails at one of them', async () => {
    const told: SandboxStats[] = [];
    const broken = () => Promise.reject(new CRIError('Unknown', 'failed to load sandbox cgroup'));
    const answers = [broken, broken, () => Promise.resolve(told)];
    const { read, asked } = readerOf(() => answers.shift()?.() ?? Promise.resolve(told));
    const [first, ...more] = await read();
    assert.deepEqual([first?.linux?.cpu?.usage_core_nano_seconds, more], [{ value: '700' }, []]);
    assert.deepEqual(await read(), told);
    assert.equal(asked.sandboxStats, 3);
  });

  it('is completed where the runtime leaves something out of a Pod as a whole', async () => {
    const { metadata, labels } = sandbox('s1', 'u1');
    const linux = { cpu: null, memory: null, network: null, process: { process_count: { value: '3' } }, containers: [] };
    const whole = { ...linux, cpu: containerStats('c', 'c', 'u1').cpu };
    const { read } = readerOf(async () => [
      { attributes: { id: 's1', metadata, labels }, linux },
      { attributes: { id: 's2', metadata: { ...metadata, uid: 'gone' }, labels: {} }, linux: whole },
    ]);
    const [first, second] = await read();
    assert.deepEqual(
      [first?.linux?.cpu?.usage_core_nano_seconds, first?.linux?.memory?.working_set_bytes, first?.linux?.process],
      [{ value: '900' }, { value: '90' }, linux.process],
    );
    assert.deepEqual(second?.linux, whole);
  });

  it('is read from their cgroups where the runtime knows nothing of Pods, which it is asked once', async () => {
    const { read, asked } = readerOf(() => Promise.reject(new CRIError('Unimplemented', 'no')));
    const [first, ...more] = await read();
    await read();
    assert.deepEqual([asked.sandboxStats, more], [1, []]);
    assert.deepEqual([first?.attributes.id, first?.attributes.metadata.name], ['s1', 'pod-u1']);
    const { cpu, memory, network, process, containers = [] } = first?.linux ?? {};
    assert.deepEqual(cpu, { timestamp: '2000000000', usage_core_nano_seconds: { value: '700' }, usage_nano_cores: null });
    assert.deepEqual([memory?.working_set_bytes, memory?.usage_bytes], [{ value: '70' }, { value: '140' }]);
    assert.deepEqual(
      [network?.default_interface?.name, network?.default_interface?.rx_bytes, network?.interfaces.map(({ name }) => name)],
      ['eth0', { value: '9' }, ['net1']],
    );
    assert.deepEqual(process?.process_count, { value: '4' });
    // The cgroup of c2 is not known by its name: what the runtime says of it holds.
    assert.deepEqual(
      containers.map(({ attributes, cpu: used, writable_layer }) => [
        attributes.metadata.name,
        used?.usage_core_nano_seconds?.value,
        writable_layer?.used_bytes?.value,
      ]),
      [
        ['a', '500', '11'],
        ['b', '8', '11'],
      ],
    );
  });
});
