import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock, type ManualClock } from '../../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { resourceSlices } from '../../../api/resources/resource/v1/resource-slice.ts';
import { type CompleteServer, startCompleteServer } from '../../../server/apiserver/testing/complete-server.ts';
import { createOfflineSlices, type OfflineSlices } from './offline-slices.ts';

describe('slices of drivers that are gone', () => {
  let plane: CompleteServer;
  let clock: ManualClock;
  let slices: OfflineSlices;
  const registered = new Set<string>();
  before(async () => {
    plane = await startCompleteServer();
    await plane.admin(nodes).create({ metadata: { name: 'n' } });
  });
  after(() => plane.close());
  beforeEach(() => {
    clock = createManualClock();
    registered.clear();
    slices = createOfflineSlices({
      client: plane.as('system:node:n', 'system:nodes'),
      clock,
      logger: silentLogger,
      nodeName: 'n',
      isRegistered: (driver) => registered.has(driver),
    });
  });
  afterEach(async () => {
    slices.stop();
    await plane.admin(resourceSlices).deleteCollection({});
  });

  const publish = (driver: string, nodeName = 'n') =>
    plane.admin(resourceSlices).create({
      metadata: { name: `${nodeName}-${driver}` },
      spec: { driver, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices: [] },
    });
  const left = async () => (await plane.admin(resourceSlices).list()).items.map(({ metadata }) => metadata.name).sort();
  const reaches = (...expected: string[]) =>
    waitFor(expected.join(), async () => (await left()).join() === expected.join(), { withinSeconds: 5, everyMs: 5, clock: systemClock });

  it('are taken back some time after the start, those of this node', async () => {
    for (const [driver, node] of [
      ['a.example.com', 'n'],
      ['b.example.com', 'n'],
      ['b.example.com', 'm'],
    ] as const)
      await publish(driver, node);
    slices.start();
    registered.add('a.example.com');
    await clock.advance(29_000);
    assert.equal((await left()).length, 3);
    await clock.advance(1000);
    await reaches('m-b.example.com', 'n-a.example.com');
  });

  it('stay when the driver comes again in time', async () => {
    await publish('a.example.com');
    await publish('b.example.com');
    slices.driverGone('a.example.com');
    slices.driverGone('b.example.com');
    await clock.advance(10_000);
    registered.add('a.example.com');
    await clock.advance(20_000);
    await reaches('n-a.example.com');
  });

  it('stay when the agent stops', async () => {
    await publish('a.example.com');
    slices.driverGone('a.example.com');
    slices.stop();
    slices.driverGone('a.example.com');
    assert.equal(clock.pendingTimers(), 0);
  });
});
