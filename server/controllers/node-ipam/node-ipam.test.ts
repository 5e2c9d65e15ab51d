import assert from 'node:assert/strict';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { createNodeIPAMController } from './controller.ts';
import { divideClusterCIDR, findFreeRange } from './node-ranges.ts';

describe('ranges of nodes', () => {
  it('are equal parts of the cluster range', () => {
    const ranges = divideClusterCIDR('10.244.0.0/16', 24);
    assert.deepEqual([ranges.count, ranges.at(0), ranges.at(255)], [256, '10.244.0.0/24', '10.244.255.0/24']);
    assert.deepEqual(divideClusterCIDR('10.0.3.7/8', 20).at(17), '10.1.16.0/20');
    assert.deepEqual(divideClusterCIDR('192.168.8.0/22', 22).count, 1);
    const six = divideClusterCIDR('fd00:10:244::/56', 64);
    assert.deepEqual([six.count, six.at(0), six.at(255)], [256, 'fd00:10:244::/64', 'fd00:10:244:ff::/64']);
    assert.equal(divideClusterCIDR('fd00::/16', 64).count, 65_536);
  });
  for (const [cidr, size] of [
    ['10.244.0.0/16', 8],
    ['10.244.0.0/16', 31],
    ['10.244.0.0', 24],
    ['fd00::/64', 48],
    ['fd00::/64', 127],
    ['10.300.0.0/16', 24],
  ] as const) {
    it(`of /${size} out of ${cidr} are refused`, () =>
      assert.throws(() => divideClusterCIDR(cidr, size), /is not a range of addresses|cannot be cut/));
  }
  it('are looked for from where the last was found', () => {
    const ranges = divideClusterCIDR('10.244.0.0/22', 24);
    assert.equal(findFreeRange(ranges, new Set(), 2), 2);
    assert.equal(findFreeRange(ranges, new Set(['10.244.3.0/24']), 3), 0);
    assert.equal(findFreeRange(ranges, new Set([0, 1, 2, 3].map(ranges.at)), 1), undefined);
  });
});

describe('node-ipam-controller', () => {
  it('gives each node a range of its own, again only after all others had their turn, and says when there is none', async () => {
    const { client, clock, said, finish } = startManualPlane([
      createNodeIPAMController({ clusterCIDR: '10.244.0.0/22', nodeCIDRMaskSize: 24 }),
    ]);
    const key = (name: string) => ({ namespace: '', name });
    const rangeOf = async (name: string) => (await client(nodes).get(key(name))).spec?.podCIDR;
    try {
      await client(nodes).create({ metadata: { name: 'own' }, spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] } });
      await clock.advance(1);
      for (const name of ['a', 'b']) await client(nodes).create({ metadata: { name } });
      await clock.advance(1);
      assert.deepEqual([await rangeOf('own'), await rangeOf('a'), await rangeOf('b')], ['10.244.1.0/24', '10.244.0.0/24', '10.244.2.0/24']);
      await client(nodes).delete(key('a'));
      await client(nodes).create({ metadata: { name: 'c' } });
      await clock.advance(1);
      assert.equal(await rangeOf('c'), '10.244.3.0/24');
      for (const name of ['d', 'e']) await client(nodes).create({ metadata: { name } });
      await clock.advance(1);
      assert.deepEqual([await rangeOf('d'), await rangeOf('e')], ['10.244.0.0/24', undefined]);
      assert.deepEqual(said, ['e CIDRNotAvailable']);
      await client(nodes).delete(key('b'));
      await clock.advance(60_000);
      assert.equal(await rangeOf('e'), '10.244.2.0/24');
    } finally {
      await finish();
    }
  });

  it('gives one of each family', async () => {
    const { client, clock, said, finish } = startManualPlane([
      createNodeIPAMController({ clusterCIDR: '10.244.0.0/16,fd00:244::/63', nodeCIDRMaskSize: 24 }),
    ]);
    try {
      for (const name of ['a', 'b', 'c']) await client(nodes).create({ metadata: { name } });
      await clock.advance(1);
      const specs = await Promise.all(['a', 'b', 'c'].map(async (name) => (await client(nodes).get({ namespace: '', name })).spec));
      assert.deepEqual(
        specs.map((spec) => [spec?.podCIDR, spec?.podCIDRs]),
        [
          ['10.244.0.0/24', ['10.244.0.0/24', 'fd00:244::/64']],
          ['10.244.1.0/24', ['10.244.1.0/24', 'fd00:244:0:1::/64']],
          [undefined, undefined],
        ],
      );
      assert.deepEqual(said, ['c CIDRNotAvailable']);
    } finally {
      await finish();
    }
  });
});
