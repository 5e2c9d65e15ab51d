import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ContainerState } from '../../cri/messages.ts';
import { containerHash } from '../containers/container-hash.ts';
import type { RuntimeContainer, RuntimePod } from '../runtime/runtime-pod.ts';
import { planContainers, type PlanInput } from './plan-containers.ts';

interface Instance {
  name: string;
  state?: ContainerState;
  exitCode?: number;
  sandbox?: string;
  image?: string;
}

/** Listed oldest first. */
function runtime(sandboxStates: string[], instances: Instance[]): RuntimePod {
  const sandboxes = sandboxStates.map((state, index) => ({
    id: `s${index}`,
    metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: index },
    state: (state === 'noip' ? 'SANDBOX_READY' : state) as 'SANDBOX_READY',
    created_at: String(index),
    labels: {},
    annotations: {},
    network: state === 'noip' ? null : { ip: '10.0.0.1', additional_ips: [] },
  }));
  const containers = instances.map(
    ({ name, state = 'CONTAINER_RUNNING', exitCode = 0, sandbox, image = 'img' }, index): RuntimeContainer => ({
      id: `${name}-${index}`,
      sandboxID: sandbox ?? `s${sandboxes.length - 1}`,
      metadata: { name, attempt: 0 },
      state,
      created_at: String(index),
      started_at: '0',
      finished_at: '5000000000',
      exit_code: exitCode,
      image: null,
      image_ref: '',
      image_id: '',
      reason: '',
      message: '',
      labels: {},
      annotations: { 'io.kubernetes.container.hash': containerHash({ name, image }) },
      log_path: '',
      mounts: [],
    }),
  );
  return { uid: 'u', runtimeName: 'containerd', sandboxes: sandboxes.reverse(), containers: containers.reverse() };
}

function pod(spec: Partial<Pod['spec']>): Pod {
  return { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [{ name: 'a', image: 'img' }], ...spec } };
}

const exited = (name: string, exitCode: number, more: Partial<Instance> = {}): Instance => ({
  name,
  state: 'CONTAINER_EXITED',
  exitCode,
  ...more,
});
const ready = 'SANDBOX_READY';
const dead = 'SANDBOX_NOTREADY';
const init = { initContainers: [{ name: 'i', image: 'img' }] };
const sidecar = {
  initContainers: [
    { name: 's', image: 'img', restartPolicy: 'Always' as const },
    { name: 'i', image: 'img' },
  ],
};
const nothing = { kind: 'containers', kills: [], starts: [], waits: [] };

describe('planContainers', () => {
  const cases: [string, Partial<Pod['spec']>, RuntimePod, unknown, Partial<PlanInput>?][] = [
    ['a new Pod gets a sandbox', {}, runtime([], []), { kind: 'sandbox', attempt: 0, stop: [] }],
    ['main containers start in a fresh sandbox', {}, runtime([ready], []), { ...nothing, starts: ['a'] }],
    ['nothing to do while it runs', {}, runtime([ready], [{ name: 'a' }]), nothing],
    ['a dead sandbox is replaced', {}, runtime([dead], [{ name: 'a' }]), { kind: 'sandbox', attempt: 1, stop: [] }],
    ['a sandbox without address is replaced', {}, runtime(['noip'], []), { kind: 'sandbox', attempt: 1, stop: ['s0'] }],
    ['host network needs no address', { hostNetwork: true }, runtime(['noip'], []), { ...nothing, starts: ['a'] }],
    ['no new sandbox for a finished Pod', { restartPolicy: 'Never' }, runtime([dead], [exited('a', 1)]), { kind: 'finished' }],
    ['restartPolicy Always restarts a success', {}, runtime([ready], [exited('a', 0)]), { ...nothing, starts: ['a'] }],
    ['OnFailure restarts a failure', { restartPolicy: 'OnFailure' }, runtime([ready], [exited('a', 2)]), { ...nothing, starts: ['a'] }],
    ['OnFailure is finished by success', { restartPolicy: 'OnFailure' }, runtime([ready], [exited('a', 0)]), { kind: 'finished' }],
    [
      'a created container counts as not started',
      { restartPolicy: 'Never' },
      runtime([ready], [{ name: 'a', state: 'CONTAINER_CREATED' }]),
      { ...nothing, starts: ['a'] },
    ],
    ...(['Always', 'Never'] as const).map((restartPolicy): [string, Partial<Pod['spec']>, RuntimePod, unknown] => [
      `one that may be alive is killed before another starts in its place, restartPolicy ${restartPolicy}`,
      { restartPolicy },
      runtime([ready], [{ name: 'a', state: 'CONTAINER_UNKNOWN' }]),
      {
        ...nothing,
        kills: [{ id: 'a-0', name: 'a', message: 'Container a is in unknown state, try killing it before restart', restarts: true }],
      },
    ]),
    [
      'a crashed container waits',
      {},
      runtime([ready], [exited('a', 1)]),
      { ...nothing, waits: [{ name: 'a', untilMs: 15_000 }] },
      { backoffUntil: (_, ended) => ended + 10_000 },
    ],
    ['init goes first', init, runtime([ready], []), { ...nothing, starts: ['i'] }],
    ['main waits for init', init, runtime([ready], [{ name: 'i' }]), nothing],
    ['main follows init', init, runtime([ready], [exited('i', 0)]), { ...nothing, starts: ['a'] }],
    ['failed init is tried again', init, runtime([ready], [exited('i', 1)]), { ...nothing, starts: ['i'] }],
    [
      'failed init fails a Pod that never restarts',
      { ...init, restartPolicy: 'Never' },
      runtime([ready], [exited('i', 1)]),
      { kind: 'finished' },
    ],
    [
      'init is run again in a new sandbox',
      init,
      runtime([dead, ready], [exited('i', 0, { sandbox: 's0' }), exited('a', 137, { sandbox: 's0' })]),
      { ...nothing, starts: ['i'] },
    ],
    ['init that was cleaned up is not run again', init, runtime([ready], [{ name: 'a' }]), nothing],
    ['a sidecar lets the next init go once it runs', sidecar, runtime([ready], [{ name: 's' }]), { ...nothing, starts: ['i'] }],
    [
      'a dead sidecar comes back beside main',
      sidecar,
      runtime([ready], [exited('s', 1), exited('i', 0), { name: 'a' }]),
      { ...nothing, starts: ['s'] },
    ],
    [
      'main done and sidecar alive is finished',
      { ...sidecar, restartPolicy: 'Never' },
      runtime([ready], [{ name: 's' }, exited('i', 0), exited('a', 0)]),
      { kind: 'finished' },
    ],
    [
      'a new image is a new container',
      {},
      runtime([ready], [{ name: 'a', image: 'old' }]),
      { ...nothing, kills: [{ id: 'a-0', name: 'a', message: 'Container a definition changed, will be restarted', restarts: true }] },
    ],
    [
      'an unhealthy container is killed',
      {},
      runtime([ready], [{ name: 'a' }]),
      { ...nothing, kills: [{ id: 'a-0', name: 'a', message: 'Container a failed liveness probe, will be restarted', restarts: true }] },
      { probes: { startup: () => undefined, liveness: () => 'failure' } },
    ],
    [
      'an unhealthy container that is never restarted is killed for good',
      { restartPolicy: 'Never' },
      runtime([ready], [{ name: 'a' }]),
      { ...nothing, kills: [{ id: 'a-0', name: 'a', message: 'Container a failed liveness probe', restarts: false }] },
      { probes: { startup: () => undefined, liveness: () => 'failure' } },
    ],
    [
      'a new image is a new container where nothing else restarts',
      { restartPolicy: 'Never' },
      runtime([ready], [{ name: 'a', image: 'old' }]),
      { ...nothing, kills: [{ id: 'a-0', name: 'a', message: 'Container a definition changed, will be restarted', restarts: true }] },
    ],
    ...(['OnFailure', 'Never'] as const).map((restartPolicy): [string, Partial<Pod['spec']>, RuntimePod, unknown, Partial<PlanInput>] => [
      `a container killed to be restarted is started again though it ended well, with restartPolicy ${restartPolicy}`,
      { restartPolicy },
      runtime([ready], [exited('a', 0)]),
      { ...nothing, starts: ['a'] },
      { isRestarting: (id) => id === 'a-0' },
    ]),
    [
      'a container rule overrides the policy',
      {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'a',
            image: 'img',
            restartPolicy: 'Never',
            restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
          },
        ],
      },
      runtime([ready], [exited('a', 42)]),
      { ...nothing, starts: ['a'] },
    ],
  ];
  for (const [name, spec, runtimePod, expected, more] of cases) {
    it(name, () => {
      const probes = { startup: () => undefined, liveness: () => undefined };
      assert.deepEqual(
        planContainers({ pod: pod(spec), runtimePod, probes, isRestarting: () => false, backoffUntil: () => undefined, ...more }),
        expected,
      );
    });
  }
});
