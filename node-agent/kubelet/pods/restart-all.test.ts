import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import { containerHash } from '../containers/container-hash.ts';
import type { RuntimeContainer, RuntimePod } from '../runtime/runtime-pod.ts';
import { planContainers } from './plan-containers.ts';

/** A run of the container of that name: from when to when it ran (it still does without an end), and how it ended. */
type Instance = readonly [name: string, from: number, to?: number, exitCode?: number];

function runtimeOf(...instances: Instance[]): RuntimePod {
  const sandbox = {
    ...{ id: 's', metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 }, state: 'SANDBOX_READY' as const, created_at: '0' },
    ...{ labels: {}, annotations: {}, network: { ip: '10.0.0.1', additional_ips: [] } },
  };
  const containers = instances.map(
    ([name, from, to, exitCode = 0]): RuntimeContainer => ({
      ...{ id: `${name}@${from}`, sandboxID: 's', metadata: { name, attempt: 0 }, created_at: String(from), started_at: String(from) },
      state: to === undefined ? 'CONTAINER_RUNNING' : 'CONTAINER_EXITED',
      ...{
        finished_at: String(to ?? 0),
        exit_code: exitCode,
        image: null,
        image_ref: '',
        image_id: '',
        reason: '',
        message: '',
        labels: {},
      },
      ...{ annotations: { 'io.kubernetes.container.hash': containerHash({ name, image: 'img' }) }, log_path: '', mounts: [] },
    }),
  );
  return {
    uid: 'u',
    runtimeName: 'containerd',
    sandboxes: [sandbox],
    containers: containers.sort((a, b) => Number(b.created_at) - Number(a.created_at)),
  };
}

const pod: Pod = {
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec: {
    restartPolicy: 'Never',
    initContainers: [{ name: 'init', image: 'img' }],
    containers: [
      { name: 'main', image: 'img', restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } }] },
      { name: 'other', image: 'img' },
    ],
  },
};

describe('restarting all containers', () => {
  const cases: [string, RuntimePod, string][] = [
    ['another exit code is no reason', runtimeOf(['init', 1, 2], ['main', 3, 5, 1], ['other', 3]), ''],
    ['the others have to end first', runtimeOf(['init', 1, 2], ['main', 3, 5, 88], ['other', 3]), 'kill other@3'],
    ['then the init containers run again', runtimeOf(['init', 1, 2], ['main', 3, 5, 88], ['other', 3, 6, 137]), 'start init'],
    [
      'and only then the others',
      runtimeOf(['init', 1, 2], ['main', 3, 5, 88], ['other', 3, 6, 137], ['init', 7, 8]),
      'start main, start other',
    ],
    ['once they run, it is over', runtimeOf(['main', 3, 5, 88], ['other', 3, 6, 137], ['init', 7, 8], ['main', 9], ['other', 9]), ''],
    ['the next time all begins anew', runtimeOf(['main', 3, 5, 88], ['init', 7, 8], ['main', 9, 11, 88], ['other', 9]), 'kill other@9'],
    ['what then ends has ended', runtimeOf(['main', 3, 5, 88], ['init', 7, 8], ['main', 9, 11], ['other', 9, 12]), 'finished'],
  ];
  for (const [name, runtimePod, expected] of cases) {
    it(name, () => {
      const probes = { startup: () => undefined, liveness: () => undefined };
      const plan = planContainers({ pod, runtimePod, probes, isRestarting: () => false, backoffUntil: () => undefined });
      const shown =
        plan.kind === 'containers'
          ? [...plan.kills.map(({ id }) => `kill ${id}`), ...plan.starts.map((one) => `start ${one}`)].join(', ')
          : plan.kind;
      assert.equal(shown, expected);
    });
  }

  it('waits like every container that ends again and again', () => {
    const runtimePod = runtimeOf(['init', 1, 2], ['main', 3, 5, 88], ['other', 3, 6, 137], ['init', 7, 8]);
    const probes = { startup: () => undefined, liveness: () => undefined };
    const plan = planContainers({
      pod,
      runtimePod,
      probes,
      isRestarting: () => false,
      backoffUntil: (container) => (container === 'main' ? 99 : undefined),
    });
    assert.deepEqual(plan, { kind: 'containers', kills: [], starts: ['other'], waits: [{ name: 'main', untilMs: 99 }] });
  });
});
