import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { type CSIClient, createCSIClient, type DriverNodeInfo } from './csi-client.ts';
import { meetPlugin, type PluginInfo } from '../registration/plugin-registration.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { NodePaths } from '../../node-paths.ts';

/** A storage driver that has registered with the kubelet. */
export interface RegisteredDriver {
  readonly name: string;
  readonly client: CSIClient;
  readonly capabilities: ReadonlySet<string>;
  readonly info: DriverNodeInfo;
}

export interface CSIDrivers {
  find(name: string): RegisteredDriver | undefined;
  /** Meets plugins as their sockets come and go, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface CSIDriversDependencies {
  readonly files: HostFiles;
  readonly paths: NodePaths;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes the driver known in the cluster; it counts as registered after that. */
  readonly announce: (driver: RegisteredDriver) => Promise<void>;
  readonly withdraw: (name: string) => Promise<void>;
  /** Takes in a plugin that is no storage driver, until it is closed. Throws why it cannot. */
  readonly meetOther?: (info: PluginInfo) => { close(): void };
}

interface Plugin {
  /** The inode of the socket: another inode means another plugin. */
  readonly inode: number;
  /** Absent: no storage driver, or not met yet. */
  readonly driver?: RegisteredDriver;
  readonly other?: { close(): void };
}

/** The interval at which sockets are searched, besides changes of the folder; a plugin that was not ready is tried again then. */
const lookMs = 5000;

export function createCSIDrivers(dependencies: CSIDriversDependencies): CSIDrivers {
  const { files, paths, clock, logger, meetOther = refuseOther } = dependencies;
  /** The plugins by the path of their registration socket. */
  const plugins = new Map<string, Plugin>();
  const find = (name: string) => [...plugins.values()].find(({ driver }) => driver?.name === name)?.driver;
  const look = async () => {
    const present = await findSockets(files, paths.pluginRegistry);
    for (const [socket, { driver, other, inode }] of plugins) {
      if (present.get(socket) === inode) continue;
      plugins.delete(socket);
      driver?.client.close();
      other?.close();
      if (driver !== undefined && find(driver.name) === undefined) await dependencies.withdraw(driver.name);
    }
    for (const [socket, inode] of present) {
      if (plugins.has(socket)) continue;
      try {
        await meetPlugin(socket, clock, async (info) => {
          if (info.type !== 'CSIPlugin') {
            plugins.set(socket, { inode, other: meetOther(info) });
            return;
          }
          const driver = await acceptPlugin(dependencies, info, socket);
          plugins.set(socket, { inode, driver });
        });
      } catch (error) {
        plugins.get(socket)?.driver?.client.close();
        plugins.get(socket)?.other?.close();
        plugins.delete(socket);
        logger.warn('a plugin could not be registered', { socket, error });
      }
    }
  };
  return {
    find,
    async run(signal) {
      await files.makeDirectory(paths.pluginRegistry, { mode: 0o750 });
      await files.makeDirectory(paths.plugins, { mode: 0o750 });
      let wakeUp = new AbortController();
      const watching = (async () => {
        for await (const _change of files.changes(paths.pluginRegistry, signal)) wakeUp.abort();
      })();
      while (!signal.aborted) {
        wakeUp = new AbortController();
        await look().catch((error: unknown) => logger.warn('plugins could not be looked for', { error }));
        await sleep(clock, lookMs, AbortSignal.any([signal, wakeUp.signal])).catch(() => undefined); // aborted or woken
      }
      await watching;
      for (const { driver, other } of plugins.values()) {
        driver?.client.close();
        other?.close();
      }
    },
  };
}

/** Registration sockets by path, with their inodes; some plugins have their own folder. */
async function findSockets(files: HostFiles, directory: string, depth = 0): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const name of await files.names(directory)) {
    if (name.startsWith('.')) continue;
    const path = `${directory}/${name}`;
    const facts = await files.facts(path);
    if (facts?.kind === 'socket') found.set(path, facts.inode);
    else if (facts?.kind === 'directory' && depth === 0)
      for (const [inner, inode] of await findSockets(files, path, 1)) found.set(inner, inode);
  }
  return found;
}

function refuseOther({ type }: PluginInfo): never {
  throw new Error(`plugins of type ${type} are not supported by this node`);
}

async function acceptPlugin(dependencies: CSIDriversDependencies, info: PluginInfo, socket: string): Promise<RegisteredDriver> {
  const { name, endpoint, supported_versions: versions } = info;
  if (!versions.some((version) => /^v?1(\.|$)/.test(version))) {
    throw new Error(`versions ${versions.join(', ')} of CSI are not supported, 1.x is`);
  }
  const client = createCSIClient({ socket: endpoint === '' ? socket : endpoint.replace(/^unix:(\/\/)?/, ''), clock: dependencies.clock });
  try {
    const driver = { name, client, info: await client.nodeInfo(), capabilities: await client.capabilities() };
    if (driver.info.nodeID === '') throw new Error(`driver ${name} does not name the node`);
    await dependencies.announce(driver);
    return driver;
  } catch (error) {
    client.close();
    throw error;
  }
}
