import type { Client } from '../../../api/client/client.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { findDay, formatDay, tokenTrackingKey } from '../../../api/semantics/secrets/service-account-tokens.ts';
import { ensureObject } from './ensure-object.ts';

/** Says since when uses of the tokens of Secrets are noted. What cannot be, no day or one to come, becomes today. */
export async function ensureLegacyTokenTracking(client: Client, nowMs: number): Promise<void> {
  const since = formatDay(nowMs);
  await ensureObject(client, configMaps, { metadata: { ...tokenTrackingKey }, data: { since } }, (present) => {
    const startMs = findDay(present.data?.['since']);
    return startMs !== undefined && startMs <= nowMs ? present : { ...present, data: { ...present.data, since } };
  });
}
