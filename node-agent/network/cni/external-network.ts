import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';

/** The directories in which network plugins of the user's own, installed by DaemonSets, expect a node to have its files. */
export const externalNetwork = { configDirectory: '/etc/cni/net.d', pluginDirectory: '/opt/cni/bin' } as const;

/**
 * Makes the folders, and links the plugins of `standardPlugins` for programs that call them (bridge, host-local, portmap, and loopback,
 * which every Pod needs). Existing files stay.
 */
export async function prepareExternalNetwork(standardPlugins: string): Promise<void> {
  const { configDirectory, pluginDirectory } = externalNetwork;
  await mkdir(configDirectory, { recursive: true });
  await mkdir(pluginDirectory, { recursive: true });
  const present = new Set(await readdir(pluginDirectory));
  for (const plugin of await readdir(standardPlugins).catch(() => [])) // none: others bring them all
    if (!present.has(plugin)) await symlink(`${standardPlugins}/${plugin}`, `${pluginDirectory}/${plugin}`);
}

/** Whether a container runtime that was started with this configuration uses a network of another program. */
export async function usesExternalNetwork(runtimeConfiguration: string): Promise<boolean> {
  const text = await readFile(runtimeConfiguration, 'utf8').catch(() => ''); // it was never started
  return text.includes(JSON.stringify(externalNetwork.configDirectory));
}
