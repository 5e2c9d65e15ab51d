import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { ServiceAccount } from '../../../types/core-v1.ts';

const mountableSecrets = 'kubernetes.io/enforce-mountable-secrets';

/** The identity of Pods at the API. */
export const serviceAccounts = defineResource<ServiceAccount>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ServiceAccount', plural: 'serviceaccounts', shortNames: ['sa'] },
  definition: 'io.k8s.api.core.v1.ServiceAccount',
  subresources: {
    token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  },
  storagePrefix: 'serviceaccounts',
  prepareForCreate: keepSecretNames,
  prepareForUpdate: keepSecretNames,
  warnings: ({ metadata }, old) =>
    metadata.annotations?.[mountableSecrets] === undefined || old?.metadata.annotations?.[mountableSecrets] !== undefined
      ? []
      : [
          `metadata.annotations[${mountableSecrets}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
        ],
  printerColumns: [nameColumn, textColumn('Secrets', ({ secrets }) => secrets?.length ?? 0), ageColumn],
});

/** Keeps only the names of references to Secrets. Modifies. */
function keepSecretNames(account: ServiceAccount): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
