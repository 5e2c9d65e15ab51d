import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { nodeMetrics } from '../../../api/resources/metrics/v1beta1/metrics.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { testContext } from '../testing/test-context.ts';
import { createServedGroups } from './served-groups.ts';
import type { GroupServer } from './group-server.ts';

const erased = (...definitions: readonly unknown[]) => definitions as readonly ResourceDefinition[];
const answer = (status: number): APIResponse => ({ status, headers: {}, body: { kind: 'bytes', bytes: new Uint8Array() } });

function groups() {
  const served = createServedGroups();
  let metrics = erased(nodeMetrics);
  const stored = erased(configMaps, deployments);
  served.add({ serves: () => true, handle: async () => answer(201), definitions: () => stored });
  served.add({
    serves: ({ apiGroup }) => apiGroup === 'metrics.k8s.io' && metrics.length > 0,
    handle: async () => answer(202),
    definitions: () => metrics,
  });
  served.add({
    serves: ({ apiGroup }) => apiGroup === 'other.example.com',
    handle: async () => answer(203),
    definitions: () => [],
    delegated: () => [],
  });
  return { served, stored, leaveMetrics: () => void (metrics = []) };
}

describe('the group servers of an API server', () => {
  const cases: readonly (readonly [group: string, isDelegated: boolean, status: number])[] = [
    ['apps', false, 201],
    ['metrics.k8s.io', false, 202],
    ['other.example.com', false, 201],
    ['other.example.com', true, 203],
    ['apps', true, 404],
  ];
  for (const [apiGroup, isDelegated, status] of cases)
    it(`answer ${status} to a request of ${apiGroup}${isDelegated ? ' that is passed on' : ''}`, async () => {
      const context = testContext(createManualClock());
      Object.assign(context, { isDelegated, info: { ...context.info, apiGroup } });
      assert.equal((await groups().served.handle(context)).status, status);
    });

  it('tell their definitions in one array as long as nothing changes', () => {
    const { served, stored, leaveMetrics } = groups();
    const all = served.definitions();
    assert.deepEqual(all, [...stored, nodeMetrics]);
    assert.equal(served.definitions(), all);
    const find = () => served.find({ apiGroup: 'metrics.k8s.io', apiVersion: 'v1beta1', resource: 'nodes' });
    assert.equal(find(), nodeMetrics);
    leaveMetrics();
    assert.deepEqual(served.definitions(), stored);
    assert.equal(find(), undefined);
  });

  it('start one after the other', async () => {
    const served = createServedGroups();
    const steps: string[] = [];
    const server = (name: string): GroupServer => ({
      serves: () => true,
      handle: async () => answer(200),
      definitions: () => [],
      async start() {
        steps.push(`${name} begins`);
        await Promise.resolve();
        steps.push(`${name} is there`);
      },
    });
    for (const name of ['a', 'b']) served.add(server(name));
    await served.start(new AbortController().signal, async () => undefined);
    assert.deepEqual(steps, ['a begins', 'a is there', 'b begins', 'b is there']);
  });
});
