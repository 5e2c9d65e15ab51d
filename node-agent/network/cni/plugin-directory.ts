import { readdir } from 'node:fs/promises';

/**
 * Where CNI plugins are: Debian's package, what others unpack or containerd's own tarball brings, and Fedora's package. The
 * first one that has those that a node cannot do without.
 */
export const pluginDirectories = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'] as const;

export const neededPlugins = ['bridge', 'host-local', 'loopback', 'portmap'] as const;

/** The first where there is none that has all: whatever needs them then says so. */
export async function findPluginDirectory(directories: readonly string[] = pluginDirectories): Promise<string> {
  for (const directory of directories) {
    const names = await readdir(directory).catch((): string[] => []); // no such folder
    if (neededPlugins.every((plugin) => names.includes(plugin))) return directory;
  }
  return directories[0] ?? pluginDirectories[0];
}
