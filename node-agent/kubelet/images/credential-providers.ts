import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { parseDurationMs } from '../../../api/meta/duration.ts';
import { findImageReference } from '../../../api/semantics/pods/image-reference.ts';
import { parseYAML } from '../../../api/serialization/yaml.ts';
import type { AuthConfig } from '../../cri/messages.ts';

/** A program that provides credentials of registries (KEP-2133). */
export interface CredentialProvider {
  /** The name of the program, in the folder of all providers. */
  readonly name: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheMs: number;
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const apiVersions = [
  'credentialprovider.kubelet.k8s.io/v1',
  'credentialprovider.kubelet.k8s.io/v1beta1',
  'credentialprovider.kubelet.k8s.io/v1alpha1',
];

interface Configuration {
  readonly kind?: unknown;
  readonly providers?: readonly {
    readonly name?: string;
    readonly matchImages?: readonly string[];
    readonly defaultCacheDuration?: string;
    readonly apiVersion?: string;
    readonly args?: readonly string[];
    readonly env?: readonly { readonly name: string; readonly value: string }[];
    readonly tokenAttributes?: unknown;
  }[];
}

/**
 * Parses the file of `--image-credential-provider-config`: a CredentialProviderConfig, YAML or JSON. Throws for one that cannot be used.
 */
export function parseCredentialProviders(text: string): CredentialProvider[] {
  const { kind, providers = [] } = (parseYAML(text).value ?? {}) as Configuration;
  if (kind !== 'CredentialProviderConfig')
    throw new Error(`the configuration of credential providers is of kind ${String(kind)}, not CredentialProviderConfig`);
  if (providers.length === 0) throw new Error('at least 1 item in plugins is required');
  return providers.map(({ name = '', matchImages = [], defaultCacheDuration, apiVersion = '', args = [], env = [], tokenAttributes }) => {
    if (name === '' || /[\s/]|^\.\.?$/.test(name)) throw new Error(`credential provider name "${name}" cannot be a path`);
    if (matchImages.length === 0) throw new Error(`credential provider ${name}: at least one entry in matchImages is required`);
    if (!apiVersions.includes(apiVersion)) throw new Error(`credential provider ${name}: unsupported apiVersion "${apiVersion}"`);
    if (defaultCacheDuration === undefined) throw new Error(`credential provider ${name}: defaultCacheDuration is required`);
    if (tokenAttributes !== undefined) throw new Error(`credential provider ${name}: tokenAttributes are not supported by this node`);
    return {
      ...{ name, matchImages, apiVersion, args },
      defaultCacheMs: parseDurationMs(defaultCacheDuration),
      env: Object.fromEntries(env.map((one) => [one.name, one.value])),
    };
  });
}

/** Whether a pattern is for the image: parts of the host may have stars, port and beginning of the path must be the same. */
export function matchesImage(pattern: string, image: string): boolean {
  const [wanted, given] = [pattern, findImageReference(image)?.repository ?? image].map(splitRegistry);
  if (!wanted || !given || wanted.port !== given.port) return false;
  if (wanted.path !== '' && given.path !== wanted.path && !given.path.startsWith(`${wanted.path}/`)) return false;
  const [patterns, parts] = [wanted.host.split('.'), given.host.split('.')];
  return patterns.length === parts.length && patterns.every((part, index) => toExpression(part).test(parts[index] ?? ''));
}

interface Registry {
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

function splitRegistry(text: string): Registry {
  const [authority = '', ...path] = text.replace(/^https?:\/\//, '').split('/');
  const [host = '', port = ''] = authority.split(':');
  return { host, port, path: path.join('/') };
}

function toExpression(glob: string): RegExp {
  return new RegExp(`^${glob.replaceAll(/[\\^$+?()[\]{}|]/g, String.raw`\$&`).replaceAll('*', '[^.]*')}$`);
}

interface Response {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly cacheKeyType?: 'Image' | 'Registry' | 'Global';
  readonly cacheDuration?: string;
  readonly auth?: Readonly<Record<string, { readonly username?: string; readonly password?: string }>> | null;
}

interface CredentialProvidersDependencies {
  readonly providers: readonly CredentialProvider[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs the program of a provider with that input; answers its output. */
  readonly run: (provider: CredentialProvider, input: string) => Promise<string>;
}

/** Asks the providers for credentials of an image's registry, the most specific ones first. A provider that fails provides none. */
export type FindCredentials = (image: string) => Promise<AuthConfig[]>;

export function createCredentialProviders({ providers, clock, logger, run }: CredentialProvidersDependencies): FindCredentials {
  const cache = new Map<string, { readonly auth: NonNullable<Response['auth']>; readonly untilMs: number }>();
  const ask = async (provider: CredentialProvider, image: string): Promise<NonNullable<Response['auth']>> => {
    const registry = splitRegistry(findImageReference(image)?.repository ?? image);
    const keys = {
      Image: `${provider.name} ${image}`,
      Registry: `${provider.name} ${registry.host}:${registry.port}`,
      Global: provider.name,
    };
    const nowMs = clock.nowMs();
    for (const key of Object.values(keys)) {
      const kept = cache.get(key);
      if (kept && nowMs < kept.untilMs) return kept.auth;
      cache.delete(key);
    }
    const request = { kind: 'CredentialProviderRequest', apiVersion: provider.apiVersion, image };
    const response = JSON.parse(await run(provider, JSON.stringify(request))) as Response;
    if (response.kind !== 'CredentialProviderResponse' || response.apiVersion !== provider.apiVersion)
      throw new Error(`credential provider ${provider.name} answered with ${String(response.apiVersion)}, ${String(response.kind)}`);
    const { cacheKeyType = 'Image', cacheDuration, auth } = response;
    const keepMs = cacheDuration === undefined ? provider.defaultCacheMs : parseDurationMs(cacheDuration);
    if (keepMs > 0) cache.set(keys[cacheKeyType], { auth: auth ?? {}, untilMs: nowMs + keepMs });
    return auth ?? {};
  };
  return async (image) => {
    const found: { readonly pattern: string; readonly auth: AuthConfig }[] = [];
    for (const provider of providers) {
      if (!provider.matchImages.some((pattern) => matchesImage(pattern, image))) continue;
      try {
        for (const [pattern, { username = '', password = '' }] of Object.entries(await ask(provider, image)))
          if (matchesImage(pattern, image))
            found.push({ pattern, auth: { username, password, server_address: splitRegistry(pattern).host } });
      } catch (error) {
        logger.warn('a credential provider failed', { provider: provider.name, image, error });
      }
    }
    return found.sort((a, b) => b.pattern.length - a.pattern.length).map(({ auth }) => auth);
  };
}
