import type { Client } from '../../../api/client/client.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { findDay, formatDay, tokenTrackingKey } from '../../../api/semantics/secrets/service-account-tokens.ts';
import { ensureObject } from './ensure-object.ts';

/** Writes the day from which uses of tokens of Secrets are recorded. A value that is not a day, or a future day, becomes today. */
export async function ensureLegacyTokenTracking(client: Client, nowMs: number): Promise<void> {
  const since = formatDay(nowMs);
  await ensureObject(client, configMaps, { metadata: { ...tokenTrackingKey }, data: { since } }, (present) => {
    const startMs = findDay(present.data?.['since']);
    return startMs !== undefined && startMs <= nowMs ? present : { ...present, data: { ...present.data, since } };
  });
}
