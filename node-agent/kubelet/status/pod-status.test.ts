import assert from 'node:assert/strict';
import type { Pod, PodStatus } from '../../../api/types/core-v1.ts';
import type { ContainerState } from '../../cri/messages.ts';
import type { RuntimePod } from '../runtime/runtime-pod.ts';
import { computePodStatus, type PodStatusInput } from './pod-status.ts';
import { statusPatch } from './status-patch.ts';

interface Instance {
  name: string;
  state: ContainerState;
  exitCode?: number;
  restartCount?: number;
}

function runtimePod(instances: Instance[], hasSandbox = true): RuntimePod {
  const sandbox = {
    id: 's',
    metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 },
    state: 'SANDBOX_READY' as const,
    created_at: '1',
    labels: {},
    annotations: {},
    network: { ip: '10.0.0.1', additional_ips: [] },
  };
  const containers = instances.map(({ name, state, exitCode = 0, restartCount = 0 }, index) => ({
    id: `${name}${restartCount}`,
    sandboxID: 's',
    metadata: { name, attempt: restartCount },
    state,
    created_at: String(index),
    started_at: '1767225600000000000',
    finished_at: '1767225601000000000',
    exit_code: exitCode,
    image: { image: 'docker.io/library/img:1' },
    image_ref: 'sha256:1',
    image_id: '',
    reason: '',
    message: '',
    labels: {},
    annotations: { 'io.kubernetes.container.restartCount': String(restartCount) },
    log_path: '',
    mounts: [],
  }));
  return { uid: 'u', runtimeName: 'containerd', sandboxes: hasSandbox ? [sandbox] : [], containers: containers.reverse() };
}

function compute(pod: Pod, runtime: RuntimePod, more: Partial<PodStatusInput> = {}) {
  return computePodStatus({
    pod,
    runtimePod: runtime,
    waiting: new Map(),
    terminationMessage: () => undefined,
    isStarted: () => true,
    isReady: () => true,
    nowMs: 1_767_225_700_000,
    hostIPs: ['192.0.2.1'],
    podIPs: ['10.0.0.1'],
    disruption: undefined,
    resize: { pending: undefined, progress: undefined },
    startMs: 1_767_225_600_000,
    isFinished: false,
    refusal: undefined,
    ...more,
  });
}

const pod = (spec: Partial<Pod['spec']> = {}, status: Pod['status'] = {}): Pod => ({
  metadata: { name: 'p', namespace: 'n', uid: 'u', generation: 3 },
  spec: { containers: [{ name: 'a', image: 'img' }], ...spec },
  status,
});
const init = { initContainers: [{ name: 'i', image: 'img' }] };
const running = (name: string, restartCount = 0): Instance => ({ name, state: 'CONTAINER_RUNNING', restartCount });
const exited = (name: string, exitCode: number, restartCount = 0): Instance => ({
  name,
  state: 'CONTAINER_EXITED',
  exitCode,
  restartCount,
});

describe('computePodStatus', () => {
  const cases: [string, Pod, RuntimePod, Partial<PodStatusInput>, { phase: string; conditions: string; states: string }][] = [
    ['nothing there', pod(), runtimePod([], false), {}, { phase: 'Pending', conditions: 'FTFFT', states: 'a:ContainerCreating' }],
    [
      'nothing there, with init',
      pod(init),
      runtimePod([], false),
      {},
      { phase: 'Pending', conditions: 'FFFFT', states: 'i:PodInitializing a:PodInitializing' },
    ],
    [
      'init runs',
      pod(init),
      runtimePod([running('i')]),
      {},
      { phase: 'Pending', conditions: 'TFFFT', states: 'i:running a:PodInitializing' },
    ],
    ['init done', pod(init), runtimePod([exited('i', 0)]), {}, { phase: 'Pending', conditions: 'TTFFT', states: 'i:0 a:PodInitializing' }],
    [
      'init failed for good',
      pod({ ...init, restartPolicy: 'Never' }),
      runtimePod([exited('i', 1)]),
      {},
      { phase: 'Failed', conditions: 'TFFFT', states: 'i:1 a:PodInitializing' },
    ],
    ['running', pod(), runtimePod([running('a')]), {}, { phase: 'Running', conditions: 'TTTTT', states: 'a:running' }],
    [
      'not ready',
      pod(),
      runtimePod([running('a')]),
      { isReady: () => false },
      { phase: 'Running', conditions: 'TTFFT', states: 'a:running' },
    ],
    [
      'crash loop',
      pod(),
      runtimePod([exited('a', 1)]),
      { waiting: new Map([['a', { reason: 'CrashLoopBackOff' }]]) },
      { phase: 'Running', conditions: 'TTFFT', states: 'a:CrashLoopBackOff' },
    ],
    [
      'no image',
      pod(),
      runtimePod([]),
      { waiting: new Map([['a', { reason: 'ErrImagePull' }]]) },
      { phase: 'Pending', conditions: 'TTFFT', states: 'a:ErrImagePull' },
    ],
    [
      'succeeded',
      pod({ restartPolicy: 'Never' }),
      runtimePod([exited('a', 0)]),
      { isFinished: true },
      { phase: 'Succeeded', conditions: 'TTFFT', states: 'a:0' },
    ],
    [
      'failed',
      pod({ restartPolicy: 'Never' }),
      runtimePod([exited('a', 2)]),
      { isFinished: true },
      { phase: 'Failed', conditions: 'TTFFT', states: 'a:2' },
    ],
    [
      'done, but for its devices',
      pod({ restartPolicy: 'Never' }, { phase: 'Running' }),
      runtimePod([exited('a', 0)]),
      { isFinished: true, holdsDevices: true },
      { phase: 'Running', conditions: 'TTFFT', states: 'a:0' },
    ],
    [
      'done, but for a sidecar',
      pod({ restartPolicy: 'Never', initContainers: [{ name: 's', restartPolicy: 'Always' }] }, { phase: 'Running' }),
      runtimePod([running('s'), exited('a', 0)]),
      { isFinished: true },
      { phase: 'Running', conditions: 'TTFFT', states: 's:running a:0' },
    ],
    [
      'refused',
      pod(),
      runtimePod([], false),
      { refusal: { reason: 'OutOfcpu', message: 'm' } },
      { phase: 'Failed', conditions: 'FTFFT', states: '' },
    ],
    [
      'a final phase stays',
      pod({}, { phase: 'Succeeded' }),
      runtimePod([], false),
      {},
      { phase: 'Succeeded', conditions: 'FTFFT', states: '' },
    ],
    [
      'refused by an agent that has ended since',
      pod({}, { phase: 'Failed', reason: 'OutOfcpu' }),
      runtimePod([], false),
      {},
      { phase: 'Failed', conditions: 'FTFFT', states: '' },
    ],
    [
      'ended before its init containers had their turn',
      pod(init, { phase: 'Pending', containerStatuses: [{ name: 'a', restartCount: 0, ready: false, image: 'img', imageID: '' }] }),
      runtimePod([], false),
      { refusal: { reason: 'Terminated', message: 'm' } },
      { phase: 'Failed', conditions: 'FFFFT', states: 'i:PodInitializing a:PodInitializing' },
    ],
  ];
  for (const [name, subject, runtime, more, expected] of cases) {
    it(name, () => {
      const status = compute(subject, runtime, more);
      const states = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(({ name: container, state }) => {
        const shown = state?.waiting?.reason ?? (state?.running ? 'running' : state?.terminated?.exitCode);
        return `${container}:${shown}`;
      });
      const conditions = (status.conditions ?? []).map((condition) => condition.status[0]).join('');
      assert.deepEqual({ phase: status.phase, conditions, states: states.join(' ') }, expected);
    });
  }

  it('tells why a Pod has failed when it has, not while something of it still runs', () => {
    const refusal = { reason: 'Evicted', message: 'm' };
    const told = (instance: Instance) => {
      const { phase, reason, message } = compute(pod({}, { phase: 'Running' }), runtimePod([instance]), { refusal });
      return [phase, reason, message];
    };
    assert.deepEqual(told(running('a')), ['Running', undefined, undefined]);
    assert.deepEqual(told(exited('a', 137)), ['Failed', 'Evicted', 'm']);
  });

  it('tells how often the containers of a Pod ran that the node ends while the runtime has lost them, and goes on to tell it', () => {
    const last = { name: 'a', restartCount: 2, ready: true, image: 'img', imageID: '', containerID: 'containerd://a2' };
    const before = pod({}, { phase: 'Running', containerStatuses: [{ ...last, state: { running: { startedAt: null } } }] });
    const refusal = { reason: 'Terminated', message: 'm' };
    const status = compute(before, runtimePod([], false), { refusal });
    const told = ({ phase, containerStatuses: [first] = [] }: PodStatus) => [
      phase,
      first?.restartCount,
      first?.state?.terminated?.reason,
      first?.state?.terminated?.exitCode,
    ];
    assert.deepEqual(told(status), ['Failed', 2, 'ContainerStatusUnknown', 137]);
    assert.deepEqual(told(compute(pod({}, status), runtimePod([], false))), told(status));
  });

  it('tells of the instance before', () => {
    const [status] = compute(pod(), runtimePod([exited('a', 7), running('a', 1)])).containerStatuses ?? [];
    assert.deepEqual([status?.restartCount, status?.lastState?.terminated?.exitCode, status?.containerID], [1, 7, 'containerd://a1']);
  });

  it('tells whom a container runs as and how deep it cannot write, if the runtime does', () => {
    const mounts = [{ name: 'v', mountPath: '/v', readOnly: true }];
    const subject = { ...pod(), spec: { containers: [{ name: 'a', volumeMounts: mounts }] } };
    const [container] = runtimePod([running('a')]).containers;
    assert.ok(container);
    const statusOf = (more: object) =>
      compute(subject, { ...runtimePod([]), containers: [{ ...container, ...more }] }).containerStatuses?.[0];
    const told = statusOf({
      user: { linux: { uid: '1', gid: '2', supplemental_groups: ['2', '3'] } },
      mounts: [{ container_path: '/v', recursive_read_only: true }],
    });
    assert.deepEqual(told?.user, { linux: { uid: 1, gid: 2, supplementalGroups: [2, 3] } });
    assert.deepEqual(told?.volumeMounts, [{ ...mounts[0], recursiveReadOnly: 'Enabled' }]);
    const untold = statusOf({ user: null });
    assert.deepEqual([untold?.user, untold?.volumeMounts], [undefined, [{ ...mounts[0], recursiveReadOnly: 'Disabled' }]]);
  });

  it('names containers by the runtime that they are of', () => {
    const [status] = compute(pod(), { ...runtimePod([exited('a', 7)]), runtimeName: 'cri-o' }).containerStatuses ?? [];
    assert.deepEqual([status?.containerID, status?.state?.terminated?.containerID], ['cri-o://a0', 'cri-o://a0']);
  });

  it('names what is not ready', () => {
    const status = compute(pod({ containers: [{ name: 'a' }, { name: 'b' }] }), runtimePod([running('a'), running('b')]), {
      isReady: () => false,
    });
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    assert.deepEqual(
      [ready?.reason, ready?.message, ready?.observedGeneration],
      ['ContainersNotReady', 'containers with unready status: [a b]', 3],
    );
  });

  it('asks for conditions of others', () => {
    const gated = pod({ readinessGates: [{ conditionType: 'x' }] });
    const ready = (subject: Pod) => compute(subject, runtimePod([running('a')])).conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready(gated)?.message, 'corresponding condition of pod readiness gate "x" does not exist.');
    assert.equal(ready({ ...gated, status: { conditions: [{ type: 'x', status: 'True' }] } })?.status, 'True');
  });

  it('keeps the time of a condition that did not change', () => {
    const first = compute(pod(), runtimePod([running('a')]), { nowMs: 1_000_000 });
    const second = compute(pod({}, first), runtimePod([running('a')]), { isReady: () => false });
    const times = second.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime === '1970-01-01T00:16:40Z']);
    assert.deepEqual(Object.fromEntries(times ?? []), {
      PodReadyToStartContainers: true,
      Initialized: true,
      Ready: false,
      ContainersReady: false,
      PodScheduled: true,
    });
  });
});

describe('statusPatch', () => {
  const status = compute(pod(), runtimePod([running('a')]));
  it('is nothing for nothing', () => {
    assert.equal(statusPatch(status, structuredClone(status)), undefined);
    assert.equal(statusPatch({ ...status, nominatedNodeName: 'x' }, { ...status, reason: '' }), undefined);
  });
  it('leaves conditions of others alone', () => {
    const present = { ...status, conditions: [...(status.conditions ?? []), { type: 'x', status: 'True' }] };
    assert.equal(statusPatch(present, status), undefined);
  });
  it('replaces addresses, whose lists would be merged', () => {
    const moved = { ...status, podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] };
    assert.deepEqual(statusPatch(status, moved), { podIP: '10.0.0.9', podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.9' }] });
    assert.deepEqual(statusPatch({ ...status, podIPs: [], podIP: '' }, moved), { podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] });
  });
  it('takes away what is gone', () => {
    const present = {
      ...status,
      message: 'm',
      conditions: (status.conditions ?? []).map((condition) =>
        condition.type === 'Ready' ? { ...condition, status: 'False', reason: 'R' } : condition,
      ),
    };
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    assert.deepEqual(statusPatch(present, status), { message: null, conditions: [{ ...ready, reason: null }] });
  });
});
