import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import type { ConfigMap } from '../../../api/types/core-v1.ts';
import { isBootstrapToken, signingToken, tokenEndMs } from '../runtime/bootstrap-token.ts';
import { defineController, done, requeueAfterSeconds, watching } from '../runtime/define-controller.ts';
import { rules } from './rbac.ts';
import { resign } from './signatures.ts';

const clusterInfo = { namespace: 'kube-public', name: 'cluster-info' };

/**
 * Signs the ConfigMap kube-public/cluster-info, which new nodes read before they trust the cluster, with each bootstrap token that allows
 * it.
 */
export const bootstrapSigner = defineController({
  name: 'bootstrap-signer-controller',
  account: 'bootstrap-signer',
  for: configMaps,
  watches: [watching(secrets, (secret) => (isBootstrapToken(secret) ? [clusterInfo] : []))],
  namespaces: [
    [configMaps, clusterInfo.namespace],
    [secrets, 'kube-system'],
  ],
  workers: 1,
  rules,
  async reconcile({ namespace, name }, { lister, client, clock }) {
    if (namespace !== clusterInfo.namespace || name !== clusterInfo.name) return done;
    const present = lister(configMaps).find(clusterInfo);
    if (present === undefined) return done;
    const nowMs = clock.nowMs();
    const all = lister(secrets).list({ namespace: 'kube-system' }).filter(isBootstrapToken);
    const tokens = all.flatMap((secret) => signingToken(secret, nowMs) ?? []);
    const data = resign(present.data ?? {}, tokens);
    try {
      if (data !== undefined) await client(configMaps).update({ ...mutableCopy<ConfigMap>(present), data });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    const ends = all.flatMap((secret) => tokenEndMs(secret) ?? []).filter((endMs) => endMs > nowMs);
    return ends.length === 0 ? done : requeueAfterSeconds(Math.ceil((Math.min(...ends) - nowMs) / 1000));
  },
});
