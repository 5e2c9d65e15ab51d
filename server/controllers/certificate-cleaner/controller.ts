import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { certificateSigningRequests } from '../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { rules } from './rbac.ts';
import { requestEndMs } from './request-age.ts';

/** Deletes old certificate signing requests, which nodes make for ever. */
export const certificateCleaner = defineController({
  name: 'certificatesigningrequest-cleaner-controller',
  account: 'certificate-controller',
  for: certificateSigningRequests,
  workers: 1,
  rules,
  async reconcile(key, { lister, client, clock }) {
    const request = lister(certificateSigningRequests).find(key);
    if (request === undefined) return done;
    const leftMs = requestEndMs(request) - clock.nowMs();
    if (leftMs === Number.POSITIVE_INFINITY) return done;
    if (leftMs > 0) return requeueAfterSeconds(Math.ceil(leftMs / 1000));
    await ignoreNotFound(client(certificateSigningRequests).delete(key));
    return done;
  },
});
