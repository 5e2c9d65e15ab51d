import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { endpoints } from '../../../api/resources/core/v1/endpoints.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { tokenTrackingKey } from '../../../api/semantics/secrets/service-account-tokens.ts';
import { eventually, startCompleteServer } from '../testing/complete-server.ts';
import { ensureLegacyTokenTracking } from './legacy-token-tracking.ts';
import { keepSystemObjects } from './keep-system-objects.ts';

describe('keeping what every cluster has', () => {
  it('brings back Service kubernetes and its endpoints', async () => {
    const { admin: client, close } = await startCompleteServer();
    const clock = createManualClock();
    const running = new AbortController();
    const serving = { address: '192.0.2.1', port: 6443 };
    const kubernetesServiceAddress = '10.96.0.1';
    const options = { serviceCIDRs: ['10.96.0.0/12'], kubernetesServiceAddress, serving, clusterCAPEM: '', frontProxyCAPEM: '' };
    const kept = keepSystemObjects(options, { client, clock, logger: silentLogger }, running.signal);
    const key = { namespace: 'default', name: 'kubernetes' };
    const isThere = async () =>
      (await ignoreNotFound(client(endpoints).get(key))) !== undefined &&
      (await ignoreNotFound(client(endpointSlices).get(key))) !== undefined;
    // Its Endpoints go with it.
    await client(services).delete(key);
    await client(endpointSlices).delete(key);
    assert.equal(await isThere(), false);
    await clock.advance(9_999);
    assert.equal(await ignoreNotFound(client(services).get(key)), undefined);
    await clock.advance(1);
    await eventually('the Service is there', async () => (await ignoreNotFound(client(services).get(key))) !== undefined);
    assert.equal((await client(services).get(key)).spec?.clusterIP, kubernetesServiceAddress);
    await eventually('its addresses are there', isThere);
    running.abort();
    await kept;
    assert.equal(clock.pendingTimers(), 0);
    await close();
  });

  it('notes since when uses of tokens are noted, and mends a day that is none', async () => {
    const { admin: client, close } = await startCompleteServer();
    const since = async () => (await client(configMaps).get(tokenTrackingKey)).data?.['since'];
    const put = async (day: string) =>
      client(configMaps).update({ ...(await client(configMaps).get(tokenTrackingKey)), data: { since: day } });
    const nowMs = Date.UTC(2026, 5, 1, 12);
    await ignoreNotFound(client(configMaps).delete(tokenTrackingKey));
    await ensureLegacyTokenTracking(client, nowMs);
    assert.equal(await since(), '2026-06-01');
    await put('2025-01-31');
    await ensureLegacyTokenTracking(client, nowMs);
    assert.equal(await since(), '2025-01-31');
    for (const day of ['2026-06-02', '2025-02-30', 'lately']) {
      await put(day);
      await ensureLegacyTokenTracking(client, nowMs);
      assert.equal(await since(), '2026-06-01', day);
    }
    await close();
  });
});
