import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import { defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { secondsUntilExpiry } from './expiry.ts';
import { rules } from './rbac.ts';

/** Deletes a finished Job once its `ttlSecondsAfterFinished` has passed. */
export const ttlAfterFinished = defineController({
  name: 'ttl-after-finished-controller',
  account: 'ttl-after-finished-controller',
  for: jobs,
  rules,
  async reconcile(key, { lister, client, clock }) {
    const cached = lister(jobs).find(key);
    const remaining = cached && secondsUntilExpiry(cached, clock.nowMs());
    if (remaining === undefined) return done;
    if (remaining > 0) return requeueAfterSeconds(remaining);
    // The cache may lag behind a raised time.
    const fresh = await ignoreNotFound(client(jobs).get(key));
    if (fresh === undefined || (secondsUntilExpiry(fresh, clock.nowMs()) ?? 1) > 0) return done;
    await ignoreNotFound(client(jobs).delete(key, { propagationPolicy: 'Foreground', preconditions: { uid: fresh.metadata.uid ?? '' } }));
    return done;
  },
});
