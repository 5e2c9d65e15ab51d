import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { formatDay, invalidSinceLabel, lastUsedLabel, tokenTrackingKey } from '../../../api/semantics/secrets/service-account-tokens.ts';
import type { Secret } from '../../../api/types/core-v1.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { legacyServiceAccountTokenCleaner } from './controller.ts';
import { cleaningPeriodMs, planCleaning, type TokenUse } from './plan-cleaning.ts';

const dayMs = 24 * 3_600_000;
const nowMs = Date.UTC(2026, 5, 1);
const ago = (days: number) => formatDay(nowMs - days * dayMs);

describe('planCleaning', () => {
  const secret = (labels: Record<string, string> = {}, ageDays = 1000): Secret => ({
    metadata: { creationTimestamp: `${ago(ageDays)}T00:00:00Z`, labels },
  });
  const unused: TokenUse = { trackedSinceMs: nowMs - 1000 * dayMs, isGenerated: true, isMounted: false };
  const cases: [string, Secret, Partial<TokenUse>, string][] = [
    ['one that was never used', secret(), {}, 'invalidate'],
    ['one used a year and a day ago', secret({ [lastUsedLabel]: ago(366) }), {}, 'invalidate'],
    ['one used a year ago', secret({ [lastUsedLabel]: ago(365) }), {}, 'keep'],
    ['one used on a day that is none', secret({ [lastUsedLabel]: 'lately' }), {}, 'keep'],
    ['a young one', secret({}, 300), {}, 'keep'],
    ['one that somebody made', secret(), { isGenerated: false }, 'keep'],
    ['one in a Pod', secret(), { isMounted: true }, 'keep'],
    ['one whose use may not have been noted', secret(), { trackedSinceMs: nowMs - 300 * dayMs }, 'keep'],
    ['one whose use is not noted at all', secret(), { trackedSinceMs: undefined }, 'keep'],
    ['one invalidated lately', secret({ [invalidSinceLabel]: ago(300) }), {}, 'keep'],
    ['one invalidated a year and a day ago', secret({ [invalidSinceLabel]: ago(366) }), {}, 'delete'],
    ['one invalidated on a day that is none', secret({ [invalidSinceLabel]: '2026-13-01' }), {}, 'invalidate'],
    ['one invalidated and used again', secret({ [invalidSinceLabel]: ago(400), [lastUsedLabel]: ago(3) }), {}, 'keep'],
  ];
  for (const [what, token, use, plan] of cases)
    it(`${what}: ${plan}`, () => assert.equal(planCleaning(token, { ...unused, ...use }, nowMs), plan));
});

describe('legacy-serviceaccount-token-cleaner-controller', () => {
  it('invalidates what nobody uses after a year, and deletes it after another', async () => {
    const plane = startManualPlane([legacyServiceAccountTokenCleaner]);
    const { client, clock } = plane;
    const namespace = 'ns';
    await client(configMaps).create({ metadata: { ...tokenTrackingKey }, data: { since: formatDay(clock.nowMs()) } });
    const account = await client(serviceAccounts).create({
      metadata: { namespace, name: 'robot' },
      secrets: [{ name: 'generated' }, { name: 'mounted' }],
    });
    const annotations = {
      'kubernetes.io/service-account.name': 'robot',
      'kubernetes.io/service-account.uid': account.metadata.uid ?? '',
    };
    const creationTimestamp = formatTime(clock.nowMs());
    for (const name of ['generated', 'mounted', 'wanted'])
      await client(secrets).create({
        metadata: { namespace, name, annotations, creationTimestamp },
        type: 'kubernetes.io/service-account-token',
      });
    await client(pods).create({
      metadata: { namespace, name: 'p' },
      spec: { containers: [], volumes: [{ name: 'v', secret: { secretName: 'mounted' } }] },
    });
    const labels = async (name: string) => (await ignoreNotFound(client(secrets).get({ namespace, name })))?.metadata.labels;
    const after = async (days: number) => {
      for (let day = 0; day < days; day++) await clock.advance(dayMs);
    };
    await after(365);
    assert.equal(await labels('generated'), undefined);
    await after(3);
    const invalidSince = (await labels('generated'))?.[invalidSinceLabel];
    assert.ok(invalidSince !== undefined);
    await after(cleaningPeriodMs / dayMs + 3);
    assert.equal(await ignoreNotFound(client(secrets).get({ namespace, name: 'generated' })), undefined);
    for (const name of ['mounted', 'wanted']) {
      assert.ok(await ignoreNotFound(client(secrets).get({ namespace, name })), name);
      assert.equal(await labels(name), undefined, name);
    }
    await plane.finish();
  });
});
