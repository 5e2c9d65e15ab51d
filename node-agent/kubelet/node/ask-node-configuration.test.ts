import assert from 'node:assert/strict';
import { type Logger, silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { nodeConfigurationKey } from '../../../api/semantics/nodes/node-configuration.ts';
import { askNodeConfiguration } from './ask-node-configuration.ts';

function setUp() {
  const server = new ObjectServer();
  const clock = createManualClock();
  const client = createClient(server.transport);
  const pauses: number[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, fields) => void pauses.push(Number(fields?.['retryInMs'])) };
  const configure = (data: Record<string, string>) => client(configMaps).create({ metadata: { ...nodeConfigurationKey }, data });
  return { server, clock, client, pauses, configure, asking: { client, clock, random: createSeededRandom(1), logger } };
}

describe('the configuration of nodes', () => {
  it('is asked for until the API server is there and knows it, with growing pauses', async () => {
    const { server, clock, pauses, configure, asking } = setUp();
    await configure({ clusterCIDR: '10.7.0.0/16', podNetwork: 'vxlan' });
    let isAway = true;
    server.onRequest = () => {
      if (isAway) throw new Error('connect ECONNREFUSED 192.0.2.1:6443');
    };
    const answer = askNodeConfiguration(asking, new AbortController().signal);
    for (let seconds = 0; seconds < 60; seconds++) await clock.advance(1000);
    assert.ok(pauses.length >= 6 && pauses.length <= 12, pauses.join());
    assert.ok((pauses[0] ?? 0) < 700 && (pauses.at(-1) ?? 0) >= 10_000, pauses.join());
    isAway = false;
    await clock.advance(12_000);
    const { clusterCIDR, podNetwork } = await answer;
    assert.deepEqual({ clusterCIDR, podNetwork }, { clusterCIDR: '10.7.0.0/16', podNetwork: 'vxlan' });
  });

  it('is waited for no longer than the agent runs', async () => {
    const { clock, asking } = setUp();
    const stop = new AbortController();
    const answer = askNodeConfiguration(asking, stop.signal);
    await clock.advance(100);
    stop.abort(new Error('received SIGTERM'));
    await assert.rejects(answer, /received SIGTERM/);
  });

  it('that no agent could follow is refused at once', async () => {
    const { configure, asking } = setUp();
    await configure({ podNetwork: 'pigeons' });
    await assert.rejects(askNodeConfiguration(asking, new AbortController().signal), /pod network pigeons is not one/);
  });
});
