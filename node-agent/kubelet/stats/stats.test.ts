import assert from 'node:assert/strict';
import type { NodeUsage } from '../../linux/machine/node-usage.ts';
import type { PressureStall, StallTimes } from '../../linux/machine/pressure.ts';
import { cadvisorMetrics } from './cadvisor-metrics.ts';
import { renderFamilies } from './metric-text.ts';
import { createRates, type NodeStats } from './node-stats.ts';
import { isLocal } from './pod-storage.ts';
import { noPressures, type Pressures } from './pressures.ts';
import { resourceMetrics, resourceUsageOf } from './resource-metrics.ts';
import { statsSummary } from './summary.ts';
import { systemContainers } from './system-containers.ts';
import { createTallies } from './tallies.ts';
import { volumeMetrics } from './volume-metrics.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const memory = { usageBytes: 100, workingSetBytes: 60, rssBytes: 50, pageFaults: 4, majorPageFaults: 1 };
const usage: NodeUsage = {
  cpuNanoSeconds: 5e9,
  memory: { ...memory, capacityBytes: 1000, availableBytes: 940 },
  swap: { usageBytes: 1, availableBytes: 2 },
  interfaces: [{ name: 'eth0', rxBytes: 1, rxErrors: 0, txBytes: 2, txErrors: 0 }],
  defaultInterface: 'eth0',
  processes: { max: 100, current: 9 },
};
const disk = { capacityBytes: 500, availableBytes: 400, usedBytes: 100, inodes: 50, inodesFree: 40, inodesUsed: 10 };
const stats: NodeStats = {
  timeMs: nowMs,
  usage,
  cpu: { timeMs: nowMs, usageCoreNanoSeconds: 5e9, usageNanoCores: 250e6 },
  podsCgroup: undefined,
  nodeFs: disk,
  imageFs: { ...disk, usedBytes: 30 },
  pods: [
    {
      uid: 'u1',
      name: 'web',
      namespace: 'default',
      sandboxID: 's1',
      cpu: { timeMs: nowMs - 500, usageCoreNanoSeconds: 2e9, usageNanoCores: 100e6 },
      memory: { ...memory, timeMs: nowMs - 500 },
      interfaces: [{ name: 'eth0', rxBytes: 7, rxErrors: 0, txBytes: 8, txErrors: 0 }],
      defaultInterface: 'eth0',
      networkMs: nowMs,
      processes: 3,
      containers: [
        {
          id: 'c1',
          name: 'main',
          isRunning: true,
          startedMs: nowMs - 60_000,
          image: 'nginx:1',
          cpu: { timeMs: nowMs - 500, usageCoreNanoSeconds: 1.5e9, usageNanoCores: undefined },
          memory: { ...memory, timeMs: nowMs - 500 },
          swapBytes: 0,
          swapAvailableBytes: undefined,
          layerBytes: 20,
          layerInodes: 2,
        },
      ],
    },
  ],
};

const quiet = { pressures: noPressures, systemContainers: [] };
const times = (total: number): StallTimes => ({ avg10: 0.5, avg60: 0.25, avg300: 0.1, total });
const stall: PressureStall = { some: times(2_500_000), full: times(1_500_000) };
const pressures: Pressures = {
  node: { cpu: stall },
  allPods: { memory: stall },
  pods: new Map([['u1', { cpu: stall, memory: stall, io: stall }]]),
  containers: new Map([['c1', { io: stall }]]),
};

describe('metrics in text', () => {
  it('escapes labels and leaves out what has no samples', () => {
    const text = renderFamilies([
      { name: 'a_total', help: 'A.', type: 'counter', samples: [{ labels: { path: 'a"b\\c\nd' }, value: 1.5, timeMs: 7 }] },
      { name: 'b', help: 'B.', type: 'gauge', samples: [] },
    ]);
    assert.equal(text, '# HELP a_total A.\n# TYPE a_total counter\na_total{path="a\\"b\\\\c\\nd"} 1.5 7\n');
  });

  it('of resources have the names and times that metrics servers read', () => {
    const lines = renderFamilies(resourceMetrics(resourceUsageOf(stats))).split('\n');
    for (const line of [
      `container_cpu_usage_seconds_total{container="main",namespace="default",pod="web"} 1.5 ${nowMs - 500}`,
      `container_memory_working_set_bytes{container="main",namespace="default",pod="web"} 60 ${nowMs - 500}`,
      `container_start_time_seconds{container="main",namespace="default",pod="web"} ${nowMs / 1000 - 60}`,
      `node_cpu_usage_seconds_total 5 ${nowMs}`,
      `node_memory_working_set_bytes 60 ${nowMs}`,
      `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 2 ${nowMs - 500}`,
      'resource_scrape_error 0',
    ])
      assert.ok(lines.includes(line), line);
    assert.equal(renderFamilies(resourceMetrics(undefined)).split('\n').at(-2), 'resource_scrape_error 1');
  });

  it('tell of each container once, and of none that has ended', () => {
    const [pod] = stats.pods;
    const [main] = pod?.containers ?? [];
    assert.ok(pod && main);
    const containers = [
      { ...main, id: 'c0', isRunning: false, startedMs: nowMs - 90_000 },
      main,
      { ...main, id: 'i', name: 'init', isRunning: false },
      { ...main, id: 'c2', startedMs: nowMs - 30_000 },
    ];
    const ended = { ...stats, pods: [{ ...pod, containers }] };
    const lines = renderFamilies(resourceMetrics(resourceUsageOf(ended))).split('\n');
    const started = lines.filter((line) => line.startsWith('container_start_time_seconds'));
    assert.deepEqual(started, [`container_start_time_seconds{container="main",namespace="default",pod="web"} ${nowMs / 1000 - 30}`]);
    const series = lines.filter((line) => !line.startsWith('#')).map((line) => line.split(' ')[0]);
    assert.equal(new Set(series).size, series.length);
    const summary = statsSummary({ stats: ended, nodeName: 'n1', startedMs: 0, startOf: () => 'x', storageOf: () => undefined, ...quiet });
    const [shown] = (summary as { pods: { containers: { name: string }[] }[] }).pods;
    assert.deepEqual(
      shown?.containers.map(({ name }) => name),
      ['main'],
    );
  });

  it('of cAdvisor tell of the machine, Pods and containers', () => {
    const machine = {
      ...{ cpus: 2, memoryBytes: 1000, hostname: 'n', machineID: 'm', systemUUID: 's', bootID: 'b', kernelVersion: '6.1' },
      ...{
        osImage: 'Linux',
        architecture: 'amd64',
        address: undefined,
        swapBytes: 0,
        maxProcesses: 4096,
        hugePages: [],
        hasAppArmor: false,
      },
    };
    const text = renderFamilies(
      cadvisorMetrics({ stats, machine, cgroupRoot: '/kubepods', cgroupOf: (uid) => `/kubepods/pod${uid}`, pressures }),
    );
    for (const line of [
      `container_cpu_usage_seconds_total{container="",image="",name="",namespace="",pod="",id="/",cpu="total"} 5 ${nowMs}`,
      `container_memory_working_set_bytes{namespace="default",pod="web",container="main",image="nginx:1",name="c1",id="/kubepods/podu1/c1"} 60 ${nowMs - 500}`,
      `container_network_receive_bytes_total{id="/kubepods/podu1",image="",name="s1",namespace="default",pod="web",interface="eth0"} 7 ${nowMs}`,
      'machine_cpu_cores{boot_id="b",machine_id="m",system_uuid="s"} 2',
      `container_pressure_cpu_waiting_seconds_total{container="",image="",name="",namespace="",pod="",id="/"} 2.5 ${nowMs}`,
      `container_pressure_memory_stalled_seconds_total{container="",image="",name="",namespace="default",pod="web",id="/kubepods/podu1"} 1.5 ${nowMs - 500}`,
      `container_pressure_io_stalled_seconds_total{namespace="default",pod="web",container="main",image="nginx:1",name="c1",id="/kubepods/podu1/c1"} 1.5 ${nowMs - 500}`,
    ])
      assert.ok(text.includes(`${line}\n`), line);
  });
});

describe('rates', () => {
  it('are made of two readings, hold while nothing new was measured, and begin anew with the counter', () => {
    const rates = createRates();
    const read = (timeMs: number, total: number) => {
      const rate = rates.rate('a', timeMs, total);
      rates.sweep();
      return rate;
    };
    assert.deepEqual(
      [read(1000, 0), read(2000, 500), read(2000, 500), read(3000, 1500), read(4000, 10)],
      [undefined, 500, 500, 1000, undefined],
    );
  });

  it('of what was not asked about are forgotten', () => {
    const rates = createRates();
    rates.rate('a', 1000, 0);
    rates.sweep();
    rates.sweep();
    assert.equal(rates.rate('a', 2000, 100), undefined);
  });
});

describe('stats summary', () => {
  it('tells the pressure of the node, Pods and containers, and nothing where there is none', () => {
    const input = { stats, nodeName: 'n1', startedMs: 0, startOf: () => 'x', storageOf: () => undefined, systemContainers: [] };
    const psi = {
      full: { total: 1_500_000, avg10: 0.5, avg60: 0.25, avg300: 0.1 },
      some: { total: 2_500_000, avg10: 0.5, avg60: 0.25, avg300: 0.1 },
    };
    type Part = { cpu?: { psi?: unknown }; memory?: { psi?: unknown }; io?: unknown };
    const { node, pods } = statsSummary({ ...input, pressures }) as { node: Part; pods: (Part & { containers: Part[] })[] };
    const [pod] = pods;
    const [container] = pod?.containers ?? [];
    assert.deepEqual([node.cpu?.psi, node.memory?.psi, node.io], [psi, undefined, undefined]);
    assert.deepEqual([pod?.cpu?.psi, pod?.memory?.psi, pod?.io], [psi, psi, { time: '2026-01-02T03:04:05Z', psi }]);
    assert.deepEqual([container?.cpu?.psi, container?.io], [undefined, { time: '2026-01-02T03:04:05Z', psi }]);
    assert.doesNotMatch(JSON.stringify(statsSummary({ ...input, pressures: noPressures })), /psi|"io"/);
  });

  it('tells of the agent and the runtime', () => {
    const used = { cpuNanoSeconds: 7, memory, startedMs: nowMs - 5000 };
    const told = systemContainers({ kubelet: used }, nowMs, () => 3);
    assert.deepEqual(told, [
      {
        name: 'kubelet',
        startTime: '2026-01-02T03:04:00Z',
        cpu: { time: '2026-01-02T03:04:05Z', usageNanoCores: 3, usageCoreNanoSeconds: 7 },
        memory: { time: '2026-01-02T03:04:05Z', ...memory },
      },
    ]);
  });

  const summaryOf = (startTime: string | undefined) =>
    statsSummary({
      stats,
      nodeName: 'n1',
      startedMs: nowMs - 1000,
      startOf: () => startTime,
      ...quiet,
      storageOf: () => ({
        volumes: [
          { name: 'work', isLocal: true, bytes: 30, inodes: 3 },
          { name: 'token', isLocal: false, bytes: 5, inodes: 5 },
        ],
        logs: new Map([['main', { bytes: 4, inodes: 1 }]]),
      }),
    }) as { node: Record<string, unknown>; pods: Record<string, unknown>[] };

  it('adds up local volumes, logs and writable layers', () => {
    const [pod] = summaryOf('2026-01-02T03:03:00Z').pods;
    assert.deepEqual(pod?.['podRef'], { name: 'web', namespace: 'default', uid: 'u1' });
    const storage = pod?.['ephemeral-storage'] as { usedBytes: number; inodesUsed: number };
    assert.deepEqual([storage.usedBytes, storage.inodesUsed], [30 + 4 + 20, 3 + 1 + 2]);
    assert.deepEqual(
      { ...(pod?.['network'] as object), interfaces: [] },
      {
        ...{ time: '2026-01-02T03:04:05Z', name: 'eth0', rxBytes: 7, rxErrors: 0, txBytes: 8, txErrors: 0, interfaces: [] },
      },
    );
  });

  it('leaves out Pods that the node does not know any more', () => assert.deepEqual(summaryOf(undefined).pods, []));

  it('tells of the machine', () => {
    const { node } = summaryOf(undefined);
    assert.deepEqual(node['cpu'], { time: '2026-01-02T03:04:05Z', usageNanoCores: 250e6, usageCoreNanoSeconds: 5e9 });
    assert.deepEqual(node['rlimit'], { time: '2026-01-02T03:04:05Z', maxpid: 100, curproc: 9 });
  });
});

describe('tallies', () => {
  it('count and observe, and forget Pods', () => {
    const tallies = createTallies();
    tallies.add('kubelet_started_pods_total', []);
    tallies.add('kubelet_started_pods_total', []);
    tallies.add('prober_probe_total', ['Liveness', 'failed', 'c', 'web', 'default', 'u']);
    tallies.add('prober_probe_duration_seconds', ['Liveness', 'c', 'web', 'default'], 0.7);
    assert.ok(renderFamilies(tallies.families()).endsWith('kubelet_started_pods_total 2\n'));
    const text = renderFamilies(tallies.probeFamilies());
    assert.ok(
      text.includes(
        'prober_probe_total{probe_type="Liveness",result="failed",container="c",pod="web",namespace="default",pod_uid="u"} 1\n',
      ),
    );
    assert.ok(text.includes('_bucket{probe_type="Liveness",container="c",pod="web",namespace="default",le="0.5"} 0\n'));
    assert.ok(text.includes('_bucket{probe_type="Liveness",container="c",pod="web",namespace="default",le="1"} 1\n'));
    tallies.forgetPod({ namespace: 'default', name: 'web' });
    assert.equal(renderFamilies(tallies.probeFamilies()), '');
  });
});

describe('local storage', () => {
  const cases: [string, Parameters<typeof isLocal>[0], boolean][] = [
    ['an emptyDir', { name: 'v', emptyDir: {} }, true],
    ['one in memory', { name: 'v', emptyDir: { medium: 'Memory' } }, false],
    ['one of huge pages', { name: 'v', emptyDir: { medium: 'HugePages-2Mi' } }, false],
    ['a ConfigMap', { name: 'v', configMap: {} }, true],
    ['a Secret', { name: 'v', secret: {} }, false],
  ];
  for (const [name, volume, expected] of cases) it(name, () => assert.equal(isLocal(volume), expected));
});

describe('volumes of claims', () => {
  it('are told of once, with a file system of their own', () => {
    const fileSystem = { ...disk, usedBytes: 7 };
    const one = { namespace: 'ns', claim: 'data', fileSystem };
    const text = renderFamilies(volumeMetrics([one, one]));
    assert.equal(
      text
        .split('\n')
        .filter((line) => line.startsWith('kubelet_volume_stats_used_bytes'))
        .join(),
      'kubelet_volume_stats_used_bytes{namespace="ns",persistentvolumeclaim="data"} 7',
    );
    const { pods } = statsSummary({
      ...{ ...quiet, stats, nodeName: 'n1', startedMs: nowMs, startOf: () => '2026-01-02T03:03:00Z' },
      storageOf: () => ({ volumes: [{ name: 'v', claim: 'data', isLocal: false, fileSystem, bytes: 7, inodes: 1 }], logs: new Map() }),
    }) as { pods: { volume: { name: string; usedBytes: number; pvcRef: object }[] }[] };
    const [volume] = pods[0]?.volume ?? [];
    assert.deepEqual([volume?.name, volume?.usedBytes, volume?.pvcRef], ['v', 7, { name: 'data', namespace: 'default' }]);
  });
});
