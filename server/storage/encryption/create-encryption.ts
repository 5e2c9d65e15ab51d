import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { aesCBC, aesGCM } from './aes.ts';
import { type Provider, type ResourceRule, splitResource } from './configuration.ts';
import type { FindTransformer } from './encrypted-storage.ts';
import { createKMSProvider, type KMSProvider } from './kms.ts';
import { connectKMS } from './kms-service.ts';
import { secretbox } from './secretbox.ts';
import { chooseByPrefix, identityTransformer, type Transformer } from './transformer.ts';

/** The effect of an EncryptionConfiguration. */
export interface Encryption {
  readonly find: FindTransformer;
  readonly kms: readonly KMSProvider[];
}

interface EncryptionDependencies {
  readonly definitions: readonly Pick<ResourceDefinition, 'group' | 'names' | 'storagePrefix'>[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const root = '/registry/';
const makers = { aesgcm: aesGCM, aescbc: aesCBC, secretbox } as const;

export function createEncryption(rules: readonly ResourceRule[], dependencies: EncryptionDependencies): Encryption {
  const kms: KMSProvider[] = [];
  const build = (provider: Provider): readonly Transformer[] => {
    if (provider.kind === 'identity') return [identityTransformer];
    if (provider.kind !== 'kms')
      return provider.keys.map(({ name, secret }) => makers[provider.kind](`k8s:enc:${provider.kind}:v1:${name}:`, secret));
    const created = createKMSProvider({ ...dependencies, name: provider.name, service: connectKMS(provider, dependencies.clock) });
    kms.push(created);
    return [created];
  };
  const built = rules.map(({ resources, providers }) => ({
    patterns: resources.map(splitResource),
    transformer: chooseByPrefix(providers.flatMap(build)),
  }));
  const byResource = ({ plural, group }: ReturnType<typeof splitResource>) =>
    built.find(({ patterns }) =>
      patterns.some((one) => (one.plural === '*' || one.plural === plural) && (one.group === '*' || one.group === group)),
    )?.transformer;
  const byPrefix = new Map<string, ReturnType<typeof byResource>>();
  // The earlier of two versions that share a place decides, as the events of the core group do.
  for (const { group, names, storagePrefix } of dependencies.definitions)
    if (storagePrefix !== undefined && !byPrefix.has(storagePrefix))
      byPrefix.set(storagePrefix, byResource({ plural: names.plural, group }));
  return {
    kms,
    find(key) {
      const [first = '', second = ''] = key.slice(root.length).split('/', 2);
      if (byPrefix.has(first)) return byPrefix.get(first);
      if (byPrefix.has(`${first}/${second}`)) return byPrefix.get(`${first}/${second}`);
      // Custom resources are stored by group and plural. Data that is no API object, such as allocated addresses, is not encrypted.
      return first.includes('.') ? byResource({ plural: second, group: first }) : undefined;
    },
  };
}
