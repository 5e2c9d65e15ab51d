import assert from 'node:assert/strict';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';

const zone = 'topology.kubernetes.io/zone';
const region = 'topology.kubernetes.io/region';
const topology = { [zone]: 'z1', [region]: 'r1' };
const spec = { containers: [{ name: 'c', image: 'x' }] };

describe('PodTopologyLabels', () => {
  let complete: CompleteServer;
  before(async () => {
    complete = await startCompleteServer();
    const { admin } = complete;
    await admin(nodes).create({ metadata: { name: 'placed', labels: { ...topology, 'topology.kubernetes.io/rack': 'a', other: 'b' } } });
    await admin(nodes).create({ metadata: { name: 'bare' } });
  });
  after(() => complete.close());

  const labelsOf = async (name: string) => (await complete.admin(pods).get({ namespace: 'default', name })).metadata.labels;
  const make = (name: string, more: object = {}, labels?: Record<string, string>) =>
    complete.admin(pods).create({ metadata: { namespace: 'default', name, ...(labels ? { labels } : {}) }, spec: { ...spec, ...more } });
  const bind = (name: string, node: string, labels?: Record<string, string>) =>
    complete.admin(pods).createSubresource({ namespace: 'default', name }, 'binding', {
      ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name, ...(labels ? { labels } : {}) } },
      target: { kind: 'Node', name: node },
    });

  it('gives a bound Pod the zone and region of its node, over its own', async () => {
    await make('bound', {}, { app: 'a', [zone]: 'mine' });
    await bind('bound', 'placed');
    assert.deepEqual(await labelsOf('bound'), { app: 'a', ...topology });
  });
  it('keeps labels that a Binding brings', async () => {
    await make('labelled', {}, { app: 'a' });
    await bind('labelled', 'bare', { app: 'b', more: 'c' });
    assert.deepEqual(await labelsOf('labelled'), { app: 'b', more: 'c' });
  });
  it('gives them to a Pod that is made with a nodeName', async () => {
    await make('direct', { nodeName: 'placed' });
    assert.deepEqual(await labelsOf('direct'), topology);
  });
  it('leaves Pods alone without a node, and with one that is not known or has none', async () => {
    await make('waiting');
    await make('elsewhere', { nodeName: 'unknown' });
    await make('plain', { nodeName: 'bare' });
    for (const name of ['waiting', 'elsewhere', 'plain']) assert.equal(await labelsOf(name), undefined);
  });
  it('can be left out', async () => {
    const without = await startCompleteServer(undefined, { disable: ['PodTopologyLabels'] });
    await without.admin(nodes).create({ metadata: { name: 'placed', labels: topology } });
    const created = await without
      .admin(pods)
      .create({ metadata: { namespace: 'default', name: 'p' }, spec: { ...spec, nodeName: 'placed' } });
    assert.equal(created.metadata.labels, undefined);
    await without.close();
  });
});
