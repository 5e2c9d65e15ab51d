import { readdir } from 'node:fs/promises';

/**
 * The directories of CNI plugins: that of Debian's package, that of the upstream archives, and that of Fedora's package. The first one with
 * all required plugins is used.
 */
export const pluginDirectories = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'] as const;

export const neededPlugins = ['bridge', 'host-local', 'loopback', 'portmap'] as const;

/** The first directory if none has all required plugins: the code that needs them then reports it. */
export async function findPluginDirectory(directories: readonly string[] = pluginDirectories): Promise<string> {
  for (const directory of directories) {
    const names = await readdir(directory).catch((): string[] => []); // no such folder
    if (neededPlugins.every((plugin) => names.includes(plugin))) return directory;
  }
  return directories[0] ?? pluginDirectories[0];
}
