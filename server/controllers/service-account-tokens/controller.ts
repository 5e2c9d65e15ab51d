import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { WatchedValue } from '../../../api/base/watched-value.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { secretTypes } from '../../../api/semantics/secrets/secrets.ts';
import {
  serviceAccountNameAnnotation,
  serviceAccountUIDAnnotation,
  type SignSecretToken,
} from '../../../api/semantics/secrets/service-account-tokens.ts';
import type { Secret } from '../../../api/types/core-v1.ts';
import {
  type Controller,
  type ControllerDependencies,
  defineController,
  done,
  enqueueingAll,
  watching,
} from '../runtime/define-controller.ts';
import { rules } from './rbac.ts';

/**
 * Writes a token, the namespace and the CA into Secrets of type kubernetes.io/service-account-token, and deletes those whose account is
 * gone or was replaced by one of the same name. Keys are those of accounts.
 */
export function createServiceAccountTokens(rootCA: WatchedValue<string>, sign: SignSecretToken): Controller {
  return defineController({
    name: 'serviceaccount-token-controller',
    account: 'service-account-token-controller',
    for: serviceAccounts,
    watches: [
      watching(secrets, (secret) =>
        accountOf(secret) === '' ? [] : [{ namespace: secret.metadata.namespace ?? '', name: accountOf(secret) }],
      ),
      enqueueingAll(serviceAccounts, rootCA),
    ],
    workers: 5,
    rules,
    async reconcile(key, dependencies) {
      const { lister, client } = dependencies;
      const own = lister(secrets)
        .list({ namespace: key.namespace })
        .filter((secret) => accountOf(secret) === key.name);
      if (own.length === 0) return done;
      // The Secret may be known before its account is.
      const account = lister(serviceAccounts).find(key) ?? (await ignoreNotFound(client(serviceAccounts).get(key)));
      const uid = account?.metadata.uid ?? '';
      for (const secret of own) {
        const wanted = secret.metadata.annotations?.[serviceAccountUIDAnnotation];
        if (account === undefined || (wanted !== undefined && wanted !== '' && wanted !== uid)) await remove(secret, dependencies);
        else if (account.metadata.deletionTimestamp === undefined) await fill(secret, { name: key.name, uid }, dependencies);
      }
      return done;
    },
  });

  async function fill(secret: DeepReadonly<Secret>, account: { name: string; uid: string }, { client }: ControllerDependencies) {
    const { namespace = '', name = '' } = secret.metadata;
    const encode = (text: string) => Buffer.from(text).toString('base64');
    const data = { ...secret.data };
    const ca = rootCA.get();
    if (ca !== '' && data['ca.crt'] !== encode(ca)) data['ca.crt'] = encode(ca);
    if (!data['namespace']) data['namespace'] = encode(namespace);
    if (!data['token']) data['token'] = encode(await sign({ namespace, secretName: name, serviceAccount: account }));
    const isFilled = Object.entries(data).every(([field, value]) => secret.data?.[field] === value);
    if (isFilled && secret.metadata.annotations?.[serviceAccountUIDAnnotation] === account.uid) return;
    const { metadata, ...rest } = mutableCopy<Secret>(secret);
    const annotations = {
      ...metadata.annotations,
      [serviceAccountNameAnnotation]: account.name,
      [serviceAccountUIDAnnotation]: account.uid,
    };
    await ignoreNotFound(client(secrets).update({ ...rest, metadata: { ...metadata, annotations }, data }));
  }
}

/** '' for other Secrets. */
function accountOf({ type, metadata }: DeepReadonly<Secret>): string {
  return type === secretTypes.serviceAccountToken ? (metadata.annotations?.[serviceAccountNameAnnotation] ?? '') : '';
}

async function remove(secret: DeepReadonly<Secret>, { client }: ControllerDependencies): Promise<void> {
  const { uid = '', resourceVersion = '' } = secret.metadata;
  try {
    await client(secrets).delete(keyOf(secret), { preconditions: { uid, resourceVersion } });
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error; // gone, or another by now
  }
}
