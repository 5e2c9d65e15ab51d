import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { secretTypes } from '../../../api/semantics/secrets/secrets.ts';
import {
  findDay,
  formatDay,
  invalidSinceLabel,
  serviceAccountNameAnnotation,
  serviceAccountUIDAnnotation,
  tokenTrackingKey,
} from '../../../api/semantics/secrets/service-account-tokens.ts';
import type { Pod, Secret } from '../../../api/types/core-v1.ts';
import { type ControllerDependencies, defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { planCleaning } from './plan-cleaning.ts';
import { rules } from './rbac.ts';

const daySeconds = 24 * 3600;

/**
 * Does away with tokens that were made along with their accounts, are in no Pod and have not been used for a year
 * (KEP-2799): first they are believed no more, which who needs them can undo, and a year later their Secrets are deleted.
 */
export const legacyServiceAccountTokenCleaner = defineController({
  name: 'legacy-serviceaccount-token-cleaner-controller',
  account: 'legacy-service-account-token-cleaner',
  for: secrets,
  concerns: isToken,
  reads: [pods, serviceAccounts],
  workers: 1,
  rules,
  async reconcile(key, dependencies) {
    const { lister, client, clock } = dependencies;
    const secret = lister(secrets).find(key);
    if (secret === undefined || !isToken(secret)) return done;
    const nowMs = clock.nowMs();
    const isGenerated = isOfAccount(secret, dependencies);
    const isMounted =
      isGenerated &&
      lister(pods)
        .list({ namespace: key.namespace })
        .some((pod) => mounts(pod, key.name));
    const tracking = isGenerated ? await ignoreNotFound(client(configMaps).get(tokenTrackingKey)) : undefined;
    const plan = planCleaning(secret, { trackedSinceMs: findDay(tracking?.data?.['since']), isGenerated, isMounted }, nowMs);
    if (plan === 'invalidate') {
      const body = { metadata: { labels: { [invalidSinceLabel]: formatDay(nowMs) } } };
      await ignoreNotFound(client(secrets).patch(key, { type: 'merge', body }));
    } else if (plan === 'delete') await remove(key, secret, dependencies);
    return requeueAfterSeconds(daySeconds);
  },
});

function isToken({ type }: DeepReadonly<Secret>): boolean {
  return type === secretTypes.serviceAccountToken;
}

/** Whether the account names it, which those name that were made with it. */
function isOfAccount({ metadata }: DeepReadonly<Secret>, { lister }: ControllerDependencies): boolean {
  const { namespace = '', name, annotations } = metadata;
  const account = lister(serviceAccounts).find({ namespace, name: annotations?.[serviceAccountNameAnnotation] ?? '' });
  if (account === undefined || account.metadata.uid !== annotations?.[serviceAccountUIDAnnotation]) return false;
  return (account.secrets ?? []).some((reference) => reference.name === name);
}

function mounts({ spec }: DeepReadonly<Pod>, secretName: string): boolean {
  return (spec?.volumes ?? []).some(({ secret }) => secret?.secretName === secretName);
}

/** Deletes only the version that was read: a use of the token may have been recorded meanwhile. */
async function remove(key: ObjectKey, { metadata }: DeepReadonly<Secret>, { client }: ControllerDependencies): Promise<void> {
  const { uid, resourceVersion } = metadata;
  const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  try {
    await client(secrets).delete(key, { preconditions });
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}
