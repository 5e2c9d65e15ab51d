import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';

/** The directories in which network plugins of the user's own, installed by DaemonSets, expect a node to have its files. */
export const externalNetwork = { configDirectory: '/etc/cni/net.d', pluginDirectory: '/opt/cni/bin' } as const;

/**
 * Makes the folders, and lends the plugins of `standardPlugins` to those that call them (bridge, host-local, portmap, and
 * loopback, without which no Pod starts). What is there already is left alone.
 */
export async function prepareExternalNetwork(standardPlugins: string): Promise<void> {
  const { configDirectory, pluginDirectory } = externalNetwork;
  await mkdir(configDirectory, { recursive: true });
  await mkdir(pluginDirectory, { recursive: true });
  const present = new Set(await readdir(pluginDirectory));
  for (const plugin of await readdir(standardPlugins).catch(() => [])) // none: others bring them all
    if (!present.has(plugin)) await symlink(`${standardPlugins}/${plugin}`, `${pluginDirectory}/${plugin}`);
}

/** Whether a container runtime that was started with this configuration has the network of somebody else. */
export async function usesExternalNetwork(runtimeConfiguration: string): Promise<boolean> {
  const text = await readFile(runtimeConfiguration, 'utf8').catch(() => ''); // it was never started
  return text.includes(JSON.stringify(externalNetwork.configDirectory));
}
