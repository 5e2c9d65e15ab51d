import type { FrontProxyTrust } from '../authentication/request-headers.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { Clock } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { clusterAuthorities, clusterInfo, type JoiningOptions } from './joining.ts';
import { extensionAuthentication } from './system-objects.ts';

export interface PublishedAuthorities {
  readonly clusterCAPEM: string;
  readonly frontProxyCAPEM: string;
  /** Absent: the defaults. */
  readonly frontProxy?: FrontProxyTrust | undefined;
  /** Absent: nodes do not join by themselves. */
  readonly joining?: Omit<JoiningOptions, 'clusterCAPEM'>;
}

/**
 * Writes changed authorities into the ConfigMaps from which extension API servers and new nodes read them. A deleted ConfigMap is not
 * created again before the next start.
 */
export async function publishAuthorities(
  { clusterCAPEM, frontProxyCAPEM, frontProxy, joining }: PublishedAuthorities,
  { client, clock }: { readonly client: Client; readonly clock: Clock },
): Promise<void> {
  const wanted = [
    extensionAuthentication(clusterCAPEM, frontProxyCAPEM, frontProxy),
    ...(joining === undefined ? [] : [clusterInfo({ ...joining, clusterCAPEM }), clusterAuthorities({ ...joining, clusterCAPEM })]),
  ];
  for (const map of wanted)
    await retryOnConflict(clock, async () => {
      const present = await ignoreNotFound(client(configMaps).get(keyOf(map)));
      const data = { ...present?.data, ...map.data };
      if (present && !isSemanticallyEqual(data, present.data)) await client(configMaps).update({ ...present, data });
    });
}
