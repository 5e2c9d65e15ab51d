import assert from 'node:assert/strict';
import { formatMicroTime, formatTime } from '../../../api/meta/time.ts';
import { leases } from '../../../api/resources/coordination/v1/lease.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { taintEvictionController } from '../taint-eviction/controller.ts';
import { createNodeLifecycleController } from './controller.ts';

const seconds = 1000;

async function cluster() {
  const { client, clock, said, finish } = startManualPlane([createNodeLifecycleController({}), taintEvictionController]);
  const renew = async (name: string) => {
    const body = { spec: { renewTime: formatMicroTime(clock.nowMs()) } };
    await client(leases).patch({ namespace: 'kube-node-lease', name }, { type: 'merge', body });
  };
  for (const name of ['n1', 'n2']) {
    const now = formatTime(clock.nowMs());
    const conditions = [{ type: 'Ready' as const, status: 'True' as const, lastHeartbeatTime: now, lastTransitionTime: now }];
    await client(nodes).create({ metadata: { name }, status: { conditions } });
    await client(leases).create({ metadata: { namespace: 'kube-node-lease', name }, spec: {} });
    await client(pods).create({
      metadata: { namespace: 'default', name: `on-${name}` },
      spec: {
        nodeName: name,
        containers: [],
        tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
      },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
  }
  await clock.advance(1);
  /** Time passes while these nodes are alive. */
  const pass = async (ms: number, ...alive: string[]) => {
    for (let passed = 0; passed < ms; passed += 10 * seconds) {
      for (const name of alive) await renew(name);
      await clock.advance(10 * seconds);
    }
  };
  const taintsOf = async (name: string) =>
    ((await client(nodes).get({ namespace: '', name })).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
  const readyOf = async (name: string) =>
    (await client(nodes).get({ namespace: '', name })).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  return { client, pass, said, taintsOf, readyOf, finish };
}

describe('node lifecycle', () => {
  it('empties a node that has fallen silent, after the time that Pods tolerate', async () => {
    const { client, pass, said, taintsOf, readyOf, finish } = await cluster();
    try {
      await pass(40 * seconds, 'n1', 'n2');
      assert.deepEqual([await readyOf('n1'), await taintsOf('n1')], ['True', []]);
      await pass(40 * seconds, 'n2');
      assert.equal(await readyOf('n1'), 'True');
      await pass(30 * seconds, 'n2');
      assert.equal(await readyOf('n1'), 'Unknown');
      assert.deepEqual(await taintsOf('n1'), ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute']);
      const pod = await client(pods).get({ namespace: 'default', name: 'on-n1' });
      assert.equal(pod.status?.conditions?.[0]?.status, 'False');
      assert.ok(said.includes('n1 NodeNotReady') && said.includes('on-n1 NodeNotReady'));
      await pass(260 * seconds, 'n2');
      assert.equal((await client(pods).list()).items.length, 2);
      await pass(60 * seconds, 'n2');
      assert.deepEqual(
        (await client(pods).list()).items.map(({ metadata }) => metadata.name),
        ['on-n2'],
      );
      assert.ok(said.includes('on-n1 TaintManagerEviction'));
      assert.deepEqual([await readyOf('n2'), await taintsOf('n2')], ['True', []]);
    } finally {
      await finish();
    }
  });

  it('evicts nobody when all nodes have fallen silent', async () => {
    const { client, pass, taintsOf, readyOf, finish } = await cluster();
    try {
      await pass(500 * seconds);
      assert.deepEqual([await readyOf('n1'), await readyOf('n2')], ['Unknown', 'Unknown']);
      assert.deepEqual(await taintsOf('n2'), ['node.kubernetes.io/unreachable:NoSchedule']);
      assert.equal((await client(pods).list()).items.length, 2);
    } finally {
      await finish();
    }
  });
});
