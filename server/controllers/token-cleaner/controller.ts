import { hasReason } from '../../../api/meta/status.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { isBootstrapToken, tokenEndMs } from '../runtime/bootstrap-token.ts';
import { defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { rules } from './rbac.ts';

/** Deletes bootstrap tokens whose time is over. */
export const tokenCleaner = defineController({
  name: 'token-cleaner-controller',
  account: 'token-cleaner',
  for: secrets,
  namespaces: [[secrets, 'kube-system']],
  workers: 1,
  rules,
  async reconcile(key, { lister, client, clock }) {
    const secret = lister(secrets).find(key);
    if (secret === undefined || !isBootstrapToken(secret)) return done;
    const endMs = tokenEndMs(secret);
    if (endMs === undefined) return done;
    const leftMs = endMs - clock.nowMs();
    if (leftMs > 0) return requeueAfterSeconds(Math.ceil(leftMs / 1000));
    const { uid } = secret.metadata;
    try {
      await client(secrets).delete(key, uid === undefined ? {} : { preconditions: { uid } });
    } catch (error) {
      if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error; // gone, or another by now
    }
    return done;
  },
});
