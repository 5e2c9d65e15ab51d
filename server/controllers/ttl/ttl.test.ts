import assert from 'node:assert/strict';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { nextStep, secondsOfStep } from './cluster-size.ts';
import { ttlController } from './controller.ts';

describe('ttl-controller', () => {
  it('lets objects grow older on the nodes of large clusters, without swinging at the limits', () => {
    const table: [count: number, step: number, seconds: number][] = [
      [1, 0, 0],
      [100, 0, 0],
      [101, 0, 15],
      [95, 1, 15],
      [89, 1, 0],
      [700, 0, 30],
      [5000, 0, 300],
      [20_000, 0, 600],
      [3, 5, 0],
    ];
    for (const [count, step, seconds] of table) assert.equal(secondsOfStep(nextStep(count, step)), seconds, `${count} from ${step}`);
  });

  it('writes it on every node, and anew when the cluster has grown', async () => {
    const { client, clock, finish } = startManualPlane([ttlController]);
    const values = async () =>
      new Set((await client(nodes).list()).items.map(({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl']));
    // A hundred nodes take some turns of the workers.
    const settle = async () => {
      for (let turn = 0; turn < 50; turn++) await clock.advance(1);
    };
    try {
      for (let index = 0; index < 100; index++) await client(nodes).create({ metadata: { name: `n${index}` } });
      await settle();
      assert.deepEqual(await values(), new Set(['0']));
      await client(nodes).create({ metadata: { name: 'one-more' } });
      await settle();
      assert.deepEqual(await values(), new Set(['15']));
    } finally {
      await finish();
    }
  });
});
