import assert from 'node:assert/strict';
import { assessStatus } from './assess-status.ts';
import { formatBytes, formatStatus } from './format-status.ts';
import { describeNode, failedChecks, isTroubled } from './gather-status.ts';
import type { StatusFacts } from './status-facts.ts';

const nowMs = Date.parse('2026-11-30T12:00:00Z');
const healthy: StatusFacts = {
  dataDirectory: '/var/lib/kubets',
  version: 'v1.36.0',
  runs: [{ command: 'up', pid: 7, startedAt: '2026-11-30T10:00:00Z', unit: 'kubets.service' }],
  services: [{ unit: 'kubets.service', active: 'active', isEnabled: true, restarts: 0 }],
  controlPlane: { isRunning: true, server: 'https://127.0.0.1:6443' },
  localNodes: [{ directory: '/var/lib/kubets/node', agentPID: 8, containerdPID: 9, log: 'the journal' }],
  cluster: {
    isWhole: true,
    nodes: [{ name: 'a', isReady: true, isSchedulable: true, version: 'v1.36.0', runtime: 'containerd://1.7', problems: [] }],
    podCount: 3,
    troubledPods: [],
  },
  disk: { freeBytes: 50 * 2 ** 30, totalBytes: 100 * 2 ** 30, used: { objects: 1024, node: undefined } },
  certificates: [{ file: '/var/lib/kubets/pki/ca.crt', expiresAt: '2036-01-01T00:00:00Z', daysLeft: 3000 }],
};

describe('kubets status', () => {
  it('says that all is well', () => {
    assert.deepEqual(assessStatus(healthy), []);
    const screen = formatStatus(healthy, [], nowMs);
    for (const line of [
      'kubets up     kubets.service, pid 7, for 120m',
      'API server    https://127.0.0.1:6443 ready',
      'node agent    pid 8; containerd pid 9  /var/lib/kubets/node',
      'node          a  Ready  v1.36.0  containerd://1.7',
      'pods          3, 0 of them not running',
      'data          /var/lib/kubets  objects 1.0 KiB, node not counted',
      'disk          50.0 GiB of 100 GiB free',
      'certificates  the first of 1 expires 2036-01-01 (/var/lib/kubets/pki/ca.crt)',
      '✓ all is well',
    ])
      assert.ok(screen.split('\n').includes(line), `${line} is not in:\n${screen}`);
  });

  const service = { unit: 'kubets.service', active: 'active', isEnabled: true, restarts: 0 };
  for (const [name, changes, problem, advice] of [
    ['nothing runs', { runs: [], services: [], localNodes: [] }, /^nothing runs on this data dir$/, /kubets up, or kubets install/],
    [
      'a service is stopped',
      { runs: [], services: [{ ...service, active: 'inactive' }], localNodes: [] },
      /nothing runs/,
      /systemctl start kubets\.service/,
    ],
    ['containers were left', { runs: [] }, /nobody looks after them/, /kubets stop --pods/],
    [
      'a service fails',
      { services: [{ ...service, active: 'failed', restarts: 4 }] },
      /kubets\.service is failed, started again 4 times/,
      /journalctl -u/,
    ],
    ['a service is not enabled', { services: [{ ...service, isEnabled: false }] }, /does not start at the next boot/, /systemctl enable/],
    [
      'the API is silent',
      { controlPlane: { isRunning: true, problem: 'does not answer: x' } },
      /the API server does not answer: x/,
      /journalctl -u kubets/,
    ],
    [
      'the agent is down',
      { localNodes: [{ directory: '/d', log: '/d/agent.log' }] },
      /the agent of the node in \/d does not run/,
      /\/d\/agent\.log/,
    ],
    [
      'containerd is down',
      { localNodes: [{ directory: '/d', log: 'l', agentPID: 8 }] },
      /containerd of the node in \/d/,
      /containerd\.log/,
    ],
    ['the disk is full', { disk: { freeBytes: 5, totalBytes: 100, used: {} } }, /full but for 5 %/, /remove/],
    [
      'a certificate ends',
      { certificates: [{ file: '/pki/a.crt', expiresAt: '', daysLeft: 3.5 }] },
      /expires in 3 days/,
      /kubets certs renew/,
    ],
    [
      'a certificate has ended',
      { certificates: [{ file: '/node/pki/a.pem', expiresAt: '', daysLeft: -1 }] },
      /has expired/,
      /the node renews it/,
    ],
  ] as const)
    it(`says what is wrong and what to do: ${name}`, () => {
      const [finding, ...others] = assessStatus({ ...healthy, ...changes });
      assert.match(finding?.problem ?? '', problem);
      assert.match(finding?.advice ?? '', advice);
      assert.deepEqual(others, []);
    });

  it('does not miss an agent where only a control plane runs', () =>
    assert.deepEqual(
      assessStatus({ ...healthy, runs: [{ command: 'server', pid: 7, startedAt: '' }], localNodes: [{ directory: '/d', log: 'l' }] }),
      [],
    ));

  it('lists what is wrong with nodes and Pods, not without end', () => {
    const troubledPods = Array.from({ length: 30 }, (_, index) => ({
      namespace: 'n',
      name: `p${index}`,
      node: 'a',
      status: 'CrashLoopBackOff',
    }));
    const facts = { ...healthy, cluster: { isWhole: true, nodes: [], podCount: 30, troubledPods } };
    const findings = assessStatus(facts);
    assert.deepEqual(findings[0], { problem: 'pod n/p0: CrashLoopBackOff', advice: 'kubectl -n n describe pod p0' });
    assert.match(formatStatus(facts, findings, nowMs), /and 20 more; -o json has all/);
  });

  it('reads the conditions of nodes', () => {
    const conditions = [
      { type: 'Ready', status: 'Unknown', message: 'Kubelet stopped posting node status.' },
      { type: 'DiskPressure', status: 'True', message: '' },
      { type: 'MemoryPressure', status: 'False', message: 'fine' },
    ];
    const { problems, isReady, isSchedulable } = describeNode({
      metadata: { name: 'a' },
      spec: { unschedulable: true },
      status: { conditions },
    });
    assert.deepEqual(problems, ['Ready is Unknown: Kubelet stopped posting node status.', 'DiskPressure']);
    assert.deepEqual([isReady, isSchedulable], [false, false]);
  });

  it('names the checks that fail', () =>
    assert.deepEqual(failedChecks('[+]ping ok\n[-]etcd failed: reason withheld\n[-]log failed\nreadyz check failed'), ['etcd', 'log']));

  it('knows Pods that do not run', () => {
    const pod = (status: object) => ({ metadata: { name: 'p' }, spec: { containers: [] }, status });
    assert.equal(isTroubled(pod({ phase: 'Running' })), false);
    assert.equal(isTroubled(pod({ phase: 'Succeeded' })), false);
    assert.equal(isTroubled(pod({ phase: 'Pending' })), true);
    const containerStatuses = [
      { name: 'c', image: '', imageID: '', ready: false, restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ];
    assert.equal(isTroubled(pod({ phase: 'Running', containerStatuses })), true);
  });

  it('writes sizes as people read them', () =>
    assert.deepEqual([0, 1023, 1536, 5 * 2 ** 30].map(formatBytes), ['0 B', '1023 B', '1.5 KiB', '5.0 GiB']));
});
