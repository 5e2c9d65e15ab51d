import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { runProgram } from '../../linux/processes/run-program.ts';

interface HostPortsLayout {
  /** The directory of the network's configuration. */
  readonly configDirectory: string;
  readonly pluginDirectory: string;
  /** The directory in which libcni keeps the plugins' results. Default: libcni's own. */
  readonly resultDirectory?: string;
}

/** The tables, as `family name`, in which the portmap plugin has host ports. */
export const hostPortTables = ['ip nat', 'ip6 nat'];

/** The file in which libcni stores its request for a sandbox and the result. */
interface CachedResult {
  readonly containerId?: string;
  readonly ifName?: string;
  readonly capabilityArgs?: { readonly portMappings?: readonly unknown[] };
  readonly result?: { readonly cniVersion?: string; readonly interfaces?: readonly { readonly sandbox?: string }[] };
}

/** A call of the portmap plugin. */
interface HostPortCall {
  readonly sandboxID: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly configuration: string;
}

/** The call that makes the host ports of a sandbox once more; undefined where it has none, or the file is none of libcni's. */
export function planHostPorts(cached: string, conflist: string): HostPortCall | undefined {
  const { containerId = '', ifName = 'eth0', capabilityArgs, result } = JSON.parse(cached) as CachedResult;
  const portMappings = capabilityArgs?.portMappings ?? [];
  const netns = result?.interfaces?.find(({ sandbox }) => sandbox)?.sandbox;
  const { cniVersion, name, plugins } = JSON.parse(conflist) as {
    readonly cniVersion: string;
    readonly name: string;
    readonly plugins: readonly { readonly type: string }[];
  };
  const plugin = plugins.find(({ type }) => type === 'portmap');
  if (containerId === '' || portMappings.length === 0 || netns === undefined || plugin === undefined) return undefined;
  return {
    sandboxID: containerId,
    environment: { CNI_COMMAND: 'ADD', CNI_CONTAINERID: containerId, CNI_NETNS: netns, CNI_IFNAME: ifName },
    configuration: JSON.stringify({ cniVersion, name, ...plugin, runtimeConfig: { portMappings }, prevResult: result }),
  };
}

/** Makes the host ports of these sandboxes once more: others have deleted the rules. Answers of how many. */
export async function restoreHostPorts(
  { configDirectory, pluginDirectory, resultDirectory = '/var/lib/cni/results' }: HostPortsLayout,
  sandboxIDs: ReadonlySet<string>,
  run: typeof runProgram = runProgram,
): Promise<number> {
  const conflist = await readFile(`${configDirectory}/10-kubets.conflist`, 'utf8');
  const names = await readdir(resultDirectory).catch(() => []); // no Pod has had a network yet
  let restored = 0;
  for (const name of names.filter((each) => each.startsWith('kubets-'))) {
    const cached = await readFile(`${resultDirectory}/${name}`, 'utf8').catch(() => '{}'); // just removed
    const call = planHostPorts(cached, conflist);
    if (call === undefined || !sandboxIDs.has(call.sandboxID)) continue;
    const environment = { ...call.environment, CNI_PATH: pluginDirectory };
    await run(path.join(pluginDirectory, 'portmap'), [], { input: call.configuration, environment });
    restored++;
  }
  return restored;
}
