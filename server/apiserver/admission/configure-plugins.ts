import type { AdmissionPlugin } from './admission.ts';
import { type PodSecurityConfiguration, parsePodSecurityConfiguration } from './plugins/pod-security/configuration.ts';
import { createPodSecurity } from './plugins/pod-security/pod-security.ts';

/** The configurations of plugins from an AdmissionConfiguration. Absent: their defaults. */
export interface PluginConfigurations {
  readonly podSecurity?: PodSecurityConfiguration;
}

/** The plugins as they are configured, in the same order. */
export function configurePlugins(plugins: readonly AdmissionPlugin[], { podSecurity }: PluginConfigurations): readonly AdmissionPlugin[] {
  return plugins.map((plugin) => (podSecurity && plugin.name === 'PodSecurity' ? createPodSecurity(podSecurity) : plugin));
}

const apiVersions = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];

interface PluginEntry {
  readonly name?: unknown;
  readonly path?: unknown;
  readonly configuration?: unknown;
}

/**
 * Reads an AdmissionConfiguration, the file of kube-apiserver's flag --admission-control-config-file.
 * @param readPath reads the document that an entry names by `path`
 */
export function parseAdmissionConfiguration(document: unknown, readPath: (path: string) => unknown): PluginConfigurations {
  const { apiVersion, kind, plugins } = (document ?? {}) as {
    readonly apiVersion?: unknown;
    readonly kind?: unknown;
    readonly plugins?: unknown;
  };
  if (kind !== 'AdmissionConfiguration' || !apiVersions.includes(String(apiVersion)))
    throw new Error(`it is not an AdmissionConfiguration of ${apiVersions[0]}`);
  if (plugins !== undefined && plugins !== null && !Array.isArray(plugins)) throw new Error('plugins is not a list');
  let podSecurity: PodSecurityConfiguration | undefined;
  for (const { name, path, configuration } of (plugins ?? []) as readonly PluginEntry[]) {
    if (name !== 'PodSecurity') throw new Error(`the plugin ${JSON.stringify(name)} has nothing that could be configured; PodSecurity has`);
    const given = configuration ?? (typeof path === 'string' && path !== '' ? readPath(path) : undefined);
    if (given !== undefined) podSecurity = parsePodSecurityConfiguration(given);
  }
  return podSecurity === undefined ? {} : { podSecurity };
}
