import { isJSONObject } from '../../../api/base/json-object.ts';
import type { HookUsers } from '../webhooks/hook-users.ts';
import type { AdmissionPlugin } from './admission.ts';
import { createMutatingAdmissionWebhook } from './plugins/mutating-admission-webhook.ts';
import { type PodSecurityConfiguration, parsePodSecurityConfiguration } from './plugins/pod-security/configuration.ts';
import { createPodSecurity } from './plugins/pod-security/pod-security.ts';
import { createValidatingAdmissionWebhook } from './plugins/validating-admission-webhook.ts';

/** The configurations of plugins from an AdmissionConfiguration. Absent: their defaults. */
export interface PluginConfigurations {
  readonly podSecurity?: PodSecurityConfiguration;
  /** The credentials for mutating webhooks. */
  readonly mutatingHookUsers?: HookUsers;
  /** The credentials for validating webhooks. */
  readonly validatingHookUsers?: HookUsers;
}

/** The plugins as they are configured, in the same order. */
export function configurePlugins(plugins: readonly AdmissionPlugin[], configurations: PluginConfigurations): readonly AdmissionPlugin[] {
  const { podSecurity, mutatingHookUsers, validatingHookUsers } = configurations;
  return plugins.map((plugin) => {
    if (podSecurity && plugin.name === 'PodSecurity') return createPodSecurity(podSecurity);
    if (mutatingHookUsers && plugin.name === 'MutatingAdmissionWebhook') return createMutatingAdmissionWebhook(mutatingHookUsers);
    if (validatingHookUsers && plugin.name === 'ValidatingAdmissionWebhook') return createValidatingAdmissionWebhook(validatingHookUsers);
    return plugin;
  });
}

const apiVersions = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];

interface PluginEntry {
  readonly name?: unknown;
  readonly path?: unknown;
  readonly configuration?: unknown;
}

/** The files that an AdmissionConfiguration names. */
interface ConfigurationFiles {
  /** Reads the document that an entry names by `path`. */
  readDocument(path: string): unknown;
  /** Opens the kubeconfig with the credentials for webhooks. */
  openHookUsers(path: string): HookUsers;
}

/** Reads an AdmissionConfiguration, the file of kube-apiserver's flag --admission-control-config-file. */
export function parseAdmissionConfiguration(document: unknown, files: ConfigurationFiles): PluginConfigurations {
  const { apiVersion, kind, plugins } = (document ?? {}) as {
    readonly apiVersion?: unknown;
    readonly kind?: unknown;
    readonly plugins?: unknown;
  };
  if (kind !== 'AdmissionConfiguration' || !apiVersions.includes(String(apiVersion)))
    throw new Error(`it is not an AdmissionConfiguration of ${apiVersions[0]}`);
  if (plugins !== undefined && plugins !== null && !Array.isArray(plugins)) throw new Error('plugins is not a list');
  let configurations: PluginConfigurations = {};
  for (const { name, path, configuration } of (plugins ?? []) as readonly PluginEntry[]) {
    const parse = typeof name === 'string' && Object.hasOwn(parsers, name) ? parsers[name] : undefined;
    if (!parse)
      throw new Error(
        `the plugin ${JSON.stringify(name)} has nothing that could be configured; these have: ${Object.keys(parsers).join(', ')}`,
      );
    const given = configuration ?? (typeof path === 'string' && path !== '' ? files.readDocument(path) : undefined);
    if (given !== undefined) configurations = { ...configurations, ...parse(given, files) };
  }
  return configurations;
}

type Parse = (given: unknown, files: ConfigurationFiles) => PluginConfigurations;

const parsers: Readonly<Record<string, Parse>> = {
  PodSecurity: (given) => ({ podSecurity: parsePodSecurityConfiguration(given) }),
  MutatingAdmissionWebhook(given, files) {
    const users = parseHookUsers(given, files);
    return users ? { mutatingHookUsers: users } : {};
  },
  ValidatingAdmissionWebhook(given, files) {
    const users = parseHookUsers(given, files);
    return users ? { validatingHookUsers: users } : {};
  },
};

/** The credentials that a WebhookAdmissionConfiguration names; undefined: it names none. */
function parseHookUsers(given: unknown, files: ConfigurationFiles): HookUsers | undefined {
  if (!isJSONObject(given)) throw new Error('the configuration of a webhook plugin is not an object');
  const { apiVersion, kind, kubeConfigFile = '', ...unknown } = given;
  if (apiVersion !== apiVersions[0] || kind !== 'WebhookAdmissionConfiguration')
    throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  const [field] = Object.keys(unknown);
  if (field !== undefined) throw new Error(`strict decoding error: unknown field ${JSON.stringify(field)}`);
  if (typeof kubeConfigFile !== 'string') throw new Error('kubeConfigFile is not a string');
  if (kubeConfigFile === '') return undefined;
  if (!kubeConfigFile.startsWith('/'))
    throw new Error(`kubeConfigFile: Invalid value: ${JSON.stringify(kubeConfigFile)}: must be an absolute file path`);
  return files.openHookUsers(kubeConfigFile);
}
