import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { SandboxPart } from '../../cri/remove-orphans.ts';
import { runProgram } from '../../linux/processes/run-program.ts';

interface SandboxAddressesLayout {
  /** The directory of the network's configuration, and the directory in which host-local keeps the addresses in use. */
  readonly configDirectory: string;
  readonly ipamDirectory: string;
  readonly pluginDirectory: string;
  /** Whether the runtime has a record of the sandbox although it does not list it; absent: it cannot be asked. */
  readonly hasRecord?: (id: string) => Promise<boolean>;
}

/** The directory in which libcni keeps the plugins' results. */
const resultDirectory = '/var/lib/cni/results';

/** The addresses that network plugins have given to sandboxes, with all else that these plugins have set up for them. */
export function sandboxAddresses({ configDirectory, ipamDirectory, pluginDirectory, hasRecord }: SandboxAddressesLayout): SandboxPart {
  const directory = `${ipamDirectory}/kubets`;
  return {
    what: 'addresses',
    async list() {
      const names = await readdir(directory).catch(() => []); // no Pod has had an address yet
      const files = names.filter((name) => /^[0-9a-f.:]+$/.test(name));
      const texts = await Promise.all(files.map((name) => readFile(`${directory}/${name}`, 'utf8').catch(() => ''))); // just released
      return texts.map(sandboxOf).filter((id) => id !== '');
    },
    objection: async (id) => ((await hasRecord?.(id)) ? 'the runtime has a record of the sandbox, which may use them' : undefined),
    async remove(id) {
      const conflist = await readFile(`${configDirectory}/10-kubets.conflist`, 'utf8');
      const environment = { CNI_COMMAND: 'DEL', CNI_CONTAINERID: id, CNI_NETNS: '', CNI_IFNAME: 'eth0', CNI_PATH: pluginDirectory };
      for (const { type, configuration } of callsOf(conflist))
        await runProgram(path.join(pluginDirectory, type), [], { input: configuration, environment });
      for (const result of [`kubets-${id}-eth0`, `cni-loopback-${id}-lo`]) await rm(`${resultDirectory}/${result}`, { force: true });
    },
  };
}

/** A file of host-local names the sandbox, then the interface. */
function sandboxOf(text: string): string {
  return text.split(/\r?\n/)[0]?.trim() ?? '';
}

interface PluginCall {
  readonly type: string;
  readonly configuration: string;
}

/** Plugins are undone in the reverse order. The portmap plugin does nothing unless it is given a port. */
function callsOf(conflist: string): PluginCall[] {
  const { cniVersion, name, plugins } = JSON.parse(conflist) as {
    readonly cniVersion: string;
    readonly name: string;
    readonly plugins: readonly { readonly type: string; readonly capabilities?: { readonly portMappings?: boolean } }[];
  };
  const anyPort = { runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 1, protocol: 'tcp' }] } };
  return plugins.toReversed().map((plugin) => ({
    type: plugin.type,
    configuration: JSON.stringify({ cniVersion, name, ...plugin, ...(plugin.capabilities?.portMappings ? anyPort : {}) }),
  }));
}
