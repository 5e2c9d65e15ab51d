import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import type { Node, NodeCondition, NodeStatus } from '../../../api/types/core-v1.ts';
import { createNodeRegistration, type NodeRegistrationDependencies } from './node-registration.ts';

const plain: NodeStatus = { conditions: [{ type: 'Ready', status: 'True' }], capacity: { pods: '110' } };
const key = { namespace: '', name: 'worker' };

function startRegistration(node?: Node, status: NodeRegistrationDependencies['status'] = async () => plain) {
  const server = new ObjectServer();
  const client = createClient(server.transport);
  const present = node && client(nodes).create(node);
  const clock = createManualClock();
  const told: string[] = [];
  const registration = createNodeRegistration({
    client,
    clock,
    logger: silentLogger,
    recorder: { event: (_about, _type, reason) => void told.push(reason) },
    nodeName: key.name,
    podCIDR: undefined,
    taints: [],
    labels: {},
    status,
  });
  const abort = new AbortController();
  const running = Promise.resolve(present).then(() => registration.run(abort.signal));
  const conditions = async (): Promise<readonly NodeCondition[] | undefined> => (await client(nodes).get(key)).status?.conditions;
  const writes = () => server.requests.filter(({ method }) => method === 'PATCH').length;
  const stop = async () => {
    abort.abort();
    await running;
  };
  return { server, client, clock, told, conditions, writes, stop };
}

describe('the registration of a node', () => {
  it('contradicts a control plane that has called the node lost, and else writes nothing that is known', async () => {
    const { client, clock, told, conditions, writes, stop } = startRegistration();
    await clock.advance(30_000);
    const before = writes();
    await clock.advance(60_000);
    assert.equal(writes(), before);
    const lost = { conditions: [{ type: 'Ready', status: 'Unknown' }] };
    await client(nodes).patch(key, { type: 'merge', body: { status: lost } }, { subresource: 'status' });
    told.length = 0;
    await clock.advance(10_000);
    assert.deepEqual(await conditions(), [{ type: 'Ready', status: 'True' }]);
    assert.deepEqual(told, ['NodeReady']);
    await stop();
  });

  it('is told of at the start, also where nothing is new', async () => {
    const { client, clock, writes, stop } = startRegistration({
      metadata: { name: key.name },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    await clock.advance(1000);
    assert.equal(writes(), 1);
    assert.deepEqual((await client(nodes).get(key)).status?.conditions, [{ type: 'Ready', status: 'True' }]);
    await clock.advance(30_000);
    assert.equal(writes(), 1);
    await stop();
  });

  it('is not written again and again because others have put resources on the Node', async () => {
    const { client, clock, writes, stop } = startRegistration();
    await clock.advance(30_000);
    const body = { status: { capacity: { 'example.com/dongle': '4' } } };
    const { status } = await client(nodes).patch(key, { type: 'merge', body }, { subresource: 'status' });
    assert.deepEqual(status?.capacity, { pods: '110', 'example.com/dongle': '4' });
    const before = writes();
    await clock.advance(60_000);
    assert.equal(writes(), before);
    await stop();
  });

  it('gives away what others put into the capacity, as long as it is there', async () => {
    const own = { pods: '110' };
    const status: NodeRegistrationDependencies['status'] = async (previous) => {
      const { pods: _pods, ...foreign } = previous?.capacity ?? {};
      return { ...plain, capacity: own, allocatable: { ...foreign, ...own } };
    };
    const { client, clock, writes, stop } = startRegistration(undefined, status);
    await clock.advance(30_000);
    const put = (amount: string | null) =>
      client(nodes).patch(
        key,
        { type: 'merge', body: { status: { capacity: { 'example.com/dongle': amount } } } },
        { subresource: 'status' },
      );
    const allocatable = async () => (await client(nodes).get(key)).status?.allocatable;
    await put('4');
    await clock.advance(10_000);
    assert.deepEqual(await allocatable(), { pods: '110', 'example.com/dongle': '4' });
    await put(null);
    await clock.advance(10_000);
    assert.deepEqual(await allocatable(), { pods: '110' });
    const before = writes();
    await clock.advance(60_000);
    assert.equal(writes(), before);
    await stop();
  });

  it('is made anew if the Node was deleted', async () => {
    const { client, clock, conditions, stop } = startRegistration();
    await clock.advance(10_000);
    await client(nodes).delete(key);
    await clock.advance(11_000);
    assert.deepEqual(await conditions(), [{ type: 'Ready', status: 'True' }]);
    await stop();
  });
});
