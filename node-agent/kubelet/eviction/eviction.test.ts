import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { CgroupUsage, NodeUsage } from '../../linux/machine/node-usage.ts';
import type { PodStateName } from '../pods/pod-state.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import type { ContainerUsage, NodeStats, PodUsage } from '../stats/node-stats.ts';
import { createEvictionManager } from './eviction-manager.ts';
import { type DiskLayout, diskLayout, diskParts, reclaimable } from './disk-layout.ts';
import { evictionMessage } from './messages.ts';
import { calm, type Observation, planPressure, type PressureHistory } from './plan-eviction.ts';
import { rankPods } from './rank-pods.ts';
import { refuseUnderPressure } from './refuse-under-pressure.ts';
import { storageExcess } from './storage-limits.ts';
import { defaultEvictionFlags, parseEvictionFlags, type Signal, withAllocatableMemory, withContainerThresholds } from './thresholds.ts';

const mebi = 1 << 20;

function podOf(name: string, requests: Record<string, string> = {}, more: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  return { metadata: { name, namespace: 'ns', uid: name }, spec: { containers: [{ name: 'c', resources: { requests } }], ...more } };
}

describe('eviction thresholds', () => {
  it('have the defaults of kubelets', () => {
    const { thresholds, transitionMs } = parseEvictionFlags(defaultEvictionFlags);
    assert.equal(transitionMs, 300_000);
    assert.deepEqual(
      thresholds.map(({ signal, value, graceMs }) => [
        signal,
        'share' in value ? `${Math.round(value.share * 100)}%` : value.quantity,
        graceMs,
      ]),
      [
        ['imagefs.available', '15%', 0],
        ['imagefs.inodesFree', '5%', 0],
        ['memory.available', 100 * mebi, 0],
        ['nodefs.available', '10%', 0],
        ['nodefs.inodesFree', '5%', 0],
      ],
    );
  });

  it('may be soft, with a grace period and a minimum to reclaim', () => {
    const flags = { ...defaultEvictionFlags, evictionHard: 'memory.available<0%', evictionSoft: 'memory.available<1Gi' };
    const { thresholds } = parseEvictionFlags({
      ...flags,
      evictionSoftGracePeriod: 'memory.available=1m30s',
      evictionMinimumReclaim: 'memory.available=200Mi',
    });
    assert.deepEqual(thresholds, [
      { signal: 'memory.available', value: { quantity: 1024 * mebi }, graceMs: 90_000, minReclaim: { quantity: 200 * mebi } },
    ]);
    assert.throws(() => parseEvictionFlags(flags), /grace period must be specified for the soft eviction threshold memory\.available/);
  });

  const wrong: [string, RegExp][] = [
    ['memory.free<1Gi', /unsupported eviction signal memory\.free/],
    ['memory.available>1Gi', /invalid eviction threshold syntax/],
    ['memory.available<110%', /must be between 0% and 100%/],
    ['memory.available<-1Gi', /cannot be negative/],
  ];
  for (const [text, problem] of wrong)
    it(`refuses ${text}`, () => assert.throws(() => parseEvictionFlags({ ...defaultEvictionFlags, evictionHard: text }), problem));
});

describe('pressure', () => {
  const settings = parseEvictionFlags({
    ...defaultEvictionFlags,
    evictionHard: 'memory.available<100,nodefs.available<10%',
    evictionSoft: 'memory.available<200',
    evictionSoftGracePeriod: 'memory.available=30s',
    evictionMinimumReclaim: 'nodefs.available=50',
  });
  const look = (history: PressureHistory, seconds: number, memory: number, disk = 500) => {
    const observations = new Map<Signal, Observation>([
      ['memory.available', { available: memory, capacity: 1000 }],
      ['nodefs.available', { available: disk, capacity: 1000 }],
    ]);
    const plan = planPressure(settings.thresholds, observations, history, { nowMs: seconds * 1000, transitionMs: 300_000 });
    const { due } = plan;
    return { ...plan, shown: `${[...plan.pressures].join()} ${due ? `${due.threshold.signal} ${due.threshold.graceMs}` : '-'}` };
  };

  it('is there at once for a hard threshold, and stays a while', () => {
    const first = look(calm, 0, 50);
    assert.equal(first.shown, 'MemoryPressure memory.available 0');
    const later = look(first.history, 299, 900);
    assert.equal(later.shown, 'MemoryPressure -');
    assert.equal(look(later.history, 301, 900).shown, ' -');
  });

  it('waits for the grace period of a soft one', () => {
    const first = look(calm, 0, 150);
    assert.equal(first.shown, ' -');
    const second = look(first.history, 29, 150);
    assert.equal(second.shown, ' -');
    assert.equal(look(second.history, 30, 150).shown, 'MemoryPressure memory.available 30000');
    assert.equal(look(look(first.history, 20, 900).history, 31, 150).shown, ' -', 'it was over meanwhile');
  });

  it('is over only when the minimum has been reclaimed', () => {
    const first = look(calm, 0, 900, 99);
    assert.equal(first.shown, 'DiskPressure nodefs.available 0');
    assert.equal(look(first.history, 10, 900, 149).shown, 'DiskPressure nodefs.available 0');
    assert.equal(look(first.history, 10, 900, 150).shown, 'DiskPressure -');
  });

  it('of memory comes first', () => assert.equal(look(calm, 0, 50, 50).shown, 'MemoryPressure,DiskPressure memory.available 0'));
});

describe('who is evicted first', () => {
  const order = (signal: Signal, ...candidates: { pod: Pod; usage: number }[]) =>
    rankPods(candidates, signal).map(({ pod }) => pod.metadata.name);
  const under = { pod: podOf('under', { memory: '100Mi' }, { priority: -5 }), usage: 90 * mebi };
  const over = { pod: podOf('over', { memory: '100Mi' }), usage: 120 * mebi };
  const farOver = { pod: podOf('far-over', { memory: '10Mi' }), usage: 90 * mebi };
  const important = { pod: podOf('important', {}, { priority: 100 }), usage: 900 * mebi };

  it('above the request, lower priority, further above', () => {
    assert.deepEqual(order('memory.available', under, important, over, farOver), ['far-over', 'over', 'important', 'under']);
  });

  it('by priority and number where nothing is requested', () => {
    assert.deepEqual(
      order(
        'pid.available',
        { pod: podOf('few'), usage: 3 },
        { pod: podOf('many'), usage: 9 },
        { pod: podOf('low', {}, { priority: -1 }), usage: 1 },
      ),
      ['low', 'many', 'few'],
    );
  });
});

describe('messages of evictions', () => {
  it('name what is short, and who used more than was requested', () => {
    const [threshold] = parseEvictionFlags({ ...defaultEvictionFlags, evictionHard: 'memory.available<100Mi' }).thresholds;
    assert.ok(threshold);
    const message = evictionMessage(
      threshold,
      { available: 50 * mebi, capacity: 1024 * mebi },
      podOf('p', { memory: '10Mi' }),
      new Map([['c', 30 * mebi]]),
    );
    assert.equal(
      message,
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 30Mi, request is 10Mi, has larger consumption of memory. ',
    );
  });

  it('tell no numbers of inodes and processes', () => {
    const [threshold] = parseEvictionFlags({ ...defaultEvictionFlags, evictionHard: 'nodefs.inodesFree<10' }).thresholds;
    assert.ok(threshold);
    assert.equal(
      evictionMessage(threshold, { available: 5, capacity: 100 }, podOf('p', {}), new Map([['c', 90]])),
      'The node was low on resource: inodes. Threshold quantity: 10, available: 5. ',
    );
  });

  it('say nothing of what is no container', () => {
    const [threshold] = parseEvictionFlags({ ...defaultEvictionFlags, evictionHard: 'nodefs.available<100Mi' }).thresholds;
    assert.ok(threshold);
    const usages = new Map([
      ['c', 0],
      ['', 300 * mebi],
    ]); // volumes
    assert.equal(
      evictionMessage(threshold, { available: 50 * mebi, capacity: 1024 * mebi }, podOf('p', {}), usages),
      'The node was low on resource: ephemeral-storage. Threshold quantity: 100Mi, available: 50Mi. ',
    );
  });
});

describe('the order of eviction', () => {
  const candidate = (name: string, priority: number, usage: number, requests: Record<string, string> = {}) => ({
    pod: podOf(name, requests, { priority }),
    usage,
  });
  const cases: [Signal, ReturnType<typeof candidate>[], string][] = [
    ['memory.available', [candidate('low', 0, 5, { memory: '9' }), candidate('over', 9, 10, { memory: '9' })], 'over low'],
    ['allocatableMemory.available', [candidate('little', 0, 5), candidate('much', 0, 10)], 'much little'],
    ['nodefs.available', [candidate('within', 0, 5, { 'ephemeral-storage': '9' }), candidate('over', 9, 1)], 'over within'],
    ['nodefs.inodesFree', [candidate('none', 0, 0), candidate('some', 9, 3)], 'some none'],
    ['pid.available', [candidate('few', 0, 1), candidate('many', 9, 500)], 'few many'],
    ['pid.available', [candidate('few', 0, 1), candidate('many', 0, 500)], 'many few'],
  ];
  for (const [signal, candidates, expected] of cases)
    it(`${signal}: ${expected}`, () =>
      assert.equal(
        rankPods(candidates, signal)
          .map(({ pod }) => pod.metadata.name)
          .join(' '),
        expected,
      ));
});

describe('a divided disk', () => {
  const layouts: [pods: number, images: number | undefined, layers: number | undefined, DiskLayout][] = [
    [1, undefined, undefined, 'shared'],
    [1, 1, 1, 'shared'],
    [1, 2, 2, 'images'],
    [1, 2, undefined, 'images'],
    [1, 2, 1, 'split'],
  ];
  for (const [pods, images, layers, expected] of layouts)
    it(`${pods} ${images} ${layers} is ${expected}`, () => assert.equal(diskLayout(pods, images, layers), expected));

  const shorts: [DiskLayout, Signal, counts: string, reclaims: string][] = [
    ['shared', 'nodefs.available', 'layers writes', 'containers images'],
    ['shared', 'imagefs.inodesFree', 'layers writes', 'containers images'],
    ['images', 'nodefs.available', 'writes', ''],
    ['images', 'imagefs.available', 'layers', 'containers images'],
    ['split', 'nodefs.inodesFree', 'layers writes', 'containers'],
    ['split', 'containerfs.available', 'layers writes', 'containers'],
    ['split', 'imagefs.available', '', 'images'],
  ];
  const yes = (of: object) => Object.entries(of).flatMap(([name, value]) => (value ? [name] : []));
  for (const [layout, signal, counts, reclaims] of shorts)
    it(`${layout}, short of ${signal}`, () =>
      assert.deepEqual([yes(diskParts(layout, signal)).join(' '), yes(reclaimable(layout, signal)).join(' ')], [counts, reclaims]));

  it('has the thresholds of Pods for writable layers that lie with them', () => {
    const { thresholds } = parseEvictionFlags({ ...defaultEvictionFlags, evictionHard: 'nodefs.available<10%,containerfs.available<50%' });
    const shown = (isSplit: boolean) =>
      withContainerThresholds(thresholds, isSplit).map(
        ({ signal, value }) => `${signal} ${'share' in value ? Math.round(value.share * 100) : ''}`,
      );
    assert.deepEqual(shown(false), ['nodefs.available 10']);
    assert.deepEqual(shown(true), ['nodefs.available 10', 'containerfs.available 10']);
  });
});

describe('storage limits', () => {
  const usage = (volume: number, log = 0) => ({
    volumes: [{ name: 'v', isLocal: true, bytes: volume * mebi, inodes: 1 }],
    logs: new Map([['c', { bytes: log * mebi, inodes: 1 }]]),
  });
  const pod = (limit: string | undefined, sizeLimit?: string): Pod => ({
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'c', resources: limit === undefined ? {} : { limits: { 'ephemeral-storage': limit } } }],
      volumes: [{ name: 'v', emptyDir: sizeLimit === undefined ? {} : { sizeLimit } }],
    },
  });
  const cases: [string, Pod, ReturnType<typeof usage>, number, string | undefined][] = [
    ['none', pod(undefined), usage(900), 900, undefined],
    ['a volume within', pod(undefined, '10Mi'), usage(10), 0, undefined],
    ['a volume beyond', pod(undefined, '10Mi'), usage(11), 0, 'Usage of EmptyDir volume "v" exceeds the limit "10Mi". '],
    ['a container within', pod('10Mi'), usage(0, 4), 5, undefined],
    ['a container beyond', pod('10Mi'), usage(0, 4), 7, 'Container c exceeded its local ephemeral storage limit "10Mi". '],
    ['all together', pod('10Mi'), usage(6, 4), 2, 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. '],
  ];
  for (const [name, one, measured, layer, expected] of cases)
    it(name, () => assert.equal(storageExcess(one, measured, new Map([['c', layer * mebi]])), expected));
});

describe('coming in under pressure', () => {
  const tolerant = podOf(
    'p',
    {},
    { tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }] },
  );
  const cases: [string, Pod, ('MemoryPressure' | 'DiskPressure')[], boolean][] = [
    ['no pressure', podOf('p'), [], false],
    ['memory, nothing requested', podOf('p'), ['MemoryPressure'], true],
    ['memory, some requested', podOf('p', { memory: '1Mi' }), ['MemoryPressure'], false],
    ['memory, tolerated', tolerant, ['MemoryPressure'], false],
    ['disk', podOf('p', { memory: '1Mi' }), ['DiskPressure'], true],
    ['disk, critical', podOf('p', {}, { priority: 2_000_001_000 }), ['DiskPressure'], false],
  ];
  for (const [name, pod, pressures, isRefused] of cases)
    it(name, () => assert.equal(refuseUnderPressure(pod, new Set(pressures)) !== undefined, isRefused));

  it('says why not', () =>
    assert.deepEqual(refuseUnderPressure(podOf('p'), new Set(['DiskPressure'])), {
      reason: 'Evicted',
      message: 'Pod was rejected: The node had condition: [DiskPressure]. ',
    }));
});

describe('eviction manager', () => {
  const idle = { usageBytes: 0, workingSetBytes: 0, rssBytes: 0, pageFaults: 0, majorPageFaults: 0 };
  const container = (workingSetBytes: number): ContainerUsage => ({
    isRunning: true,
    ...{ id: 'i', name: 'c', startedMs: 0, image: '', cpu: undefined, layerBytes: 0, layerInodes: 0, swapBytes: 0, swapAvailableBytes: 0 },
    memory: { ...idle, timeMs: 0, workingSetBytes },
  });
  const usageOf = (name: string, bytes: number): PodUsage => ({
    ...{ uid: name, name, namespace: 'ns', sandboxID: '', cpu: undefined, memory: undefined, interfaces: [], defaultInterface: undefined },
    ...{ networkMs: 0, processes: 1, containers: [container(bytes)] },
  });

  it('evicts one Pod, tells of the pressure, and waits for the end before the next goes', async () => {
    const clock = createManualClock();
    const said: string[] = [];
    let available = 50 * mebi;
    const cgroups = new Map<string, CgroupUsage>();
    const states = new Map<string, PodStateName>([
      ['small', 'running'],
      ['large', 'running'],
    ]);
    const workers = [...states.keys()].map((name) => {
      const pod = podOf(name);
      return {
        pod: () => pod,
        state: () => states.get(name),
        end({ graceSeconds }: { graceSeconds: number }) {
          said.push(`evict ${name} ${graceSeconds}`);
          states.set(name, 'terminating');
        },
      } as unknown as PodWorker;
    });
    const usage: NodeUsage = {
      ...{ cpuNanoSeconds: 0, swap: { usageBytes: 0, availableBytes: 0 }, interfaces: [], defaultInterface: undefined },
      memory: { ...idle, capacityBytes: 1024 * mebi, availableBytes: 0 },
      processes: { max: 100, current: 1 },
    };
    const manager = createEvictionManager({
      settings: withAllocatableMemory(parseEvictionFlags(defaultEvictionFlags)),
      workers: { all: () => workers },
      stats: {
        read: async () => ({ pods: [usageOf('small', mebi), usageOf('large', 9 * mebi)], imageFs: undefined }) as unknown as NodeStats,
      },
      usage: {
        node: async () => ({ ...usage, memory: { ...usage.memory, availableBytes: available } }),
        cgroup: async (name) => cgroups.get(name),
        pod: async () => undefined,
        tree: async () => undefined,
        lastSwapBytes: () => undefined,
      },
      storage: { read: async () => ({ volumes: [], logs: new Map() }), claims: async () => [], forget() {} },
      files: { capacity: async () => ({ capacityBytes: 100, availableBytes: 90, inodes: 0, inodesFree: 0 }) } as unknown as HostFiles,
      clock,
      logger: silentLogger,
      podsDirectory: '/pods',
      runtimeDirectories: async () => ({}),
      podsCgroup: '/kubepods',
      reclaimDisk: async () => void said.push('reclaim'),
      onThreshold: (resource) => void said.push(`short of ${resource}`),
      onEvicted: (signal) => void said.push(signal),
      onPressure: () => void said.push(`pressure ${[...manager.pressures()].join()}`),
    });
    const abort = new AbortController();
    const running = manager.run(abort.signal);
    const take = () => said.splice(0).join(', ');
    await clock.advance(10_000);
    assert.equal(take(), 'pressure MemoryPressure, short of memory, evict large 1, memory.available');
    await clock.advance(10_000);
    assert.equal(take(), '', 'the first has not ended yet');
    states.set('large', 'terminated');
    await clock.advance(10_500);
    assert.equal(take(), 'short of memory, evict small 1, memory.available');
    states.set('small', 'terminated');
    available = 900 * mebi;
    await clock.advance(400_000);
    assert.equal(take(), 'pressure ');
    // The machine has enough, but the Pods together have nearly reached what they may use.
    states.set('small', 'running');
    cgroups.set('/kubepods', { cpuNanoSeconds: 0, memory: { ...idle, workingSetBytes: 450 * mebi }, memoryLimitBytes: 500 * mebi });
    await clock.advance(10_000);
    assert.equal(take(), 'pressure MemoryPressure, short of memory, evict small 1, allocatableMemory.available');
    abort.abort();
    await running;
  });
});
