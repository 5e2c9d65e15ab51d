import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findImageReference } from '../../../api/semantics/pods/image-reference.ts';
import type { Secret } from '../../../api/types/core-v1.ts';
import type { AuthConfig } from '../../cri/messages.ts';

interface DockerAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** Credentials in pull secrets (kubernetes.io/dockerconfigjson, dockercfg) that are for the image's registry, most specific first. */
export function registryCredentials(image: string, secrets: readonly DeepReadonly<Secret>[]): AuthConfig[] {
  const repository = findImageReference(image)?.repository ?? image;
  const fitting: { readonly path: string; readonly auth: AuthConfig }[] = [];
  for (const secret of secrets) {
    for (const [server, entry] of Object.entries(entriesOf(secret))) {
      const path = registryPath(server);
      if (repository !== path && !repository.startsWith(`${path}/`)) continue;
      fitting.push({ path, auth: toAuthConfig(entry, server) });
    }
  }
  return fitting.sort((a, b) => b.path.length - a.path.length).map(({ auth }) => auth);
}

/** `https://index.docker.io/v1/` means docker.io; others are a host with an optional path. */
function registryPath(server: string): string {
  const path = server.replace(/^https?:\/\//, '').replace(/\/(v1|v2)?\/?$/, '');
  return path === 'index.docker.io' || path === 'registry-1.docker.io' ? 'docker.io' : path;
}

function entriesOf({ type, data }: DeepReadonly<Secret>): Record<string, DockerAuth> {
  const isJSON = type === 'kubernetes.io/dockerconfigjson';
  const encoded = data?.[isJSON ? '.dockerconfigjson' : '.dockercfg'];
  if (encoded === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString());
    const entries = isJSON ? (parsed as { auths?: unknown }).auths : parsed;
    return typeof entries === 'object' && entries !== null ? (entries as Record<string, DockerAuth>) : {};
  } catch {
    return {}; // not a docker configuration: no credentials in it
  }
}

function toAuthConfig(entry: DockerAuth, server_address: string): AuthConfig {
  const [username = '', password = ''] = entry.auth
    ? splitOnce(Buffer.from(entry.auth, 'base64').toString())
    : [entry.username, entry.password];
  return { username, password, server_address, ...(entry.identitytoken ? { identity_token: entry.identitytoken } : {}) };
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
