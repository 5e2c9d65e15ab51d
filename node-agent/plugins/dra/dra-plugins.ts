import type { Clock } from '../../../api/base/clock.ts';
import type { PluginInfo } from '../registration/plugin-registration.ts';
import { createDRAClient, type DRAClient } from './dra-client.ts';

/** The drivers of dynamic resources that have registered with the kubelet. */
interface DRAPlugins {
  find(name: string): DRAClient | undefined;
  /** Adds a plugin, until it is closed. Throws if this node does not support its version. */
  meet(info: PluginInfo): { close(): void };
}

const service = 'v1.DRAPlugin';

/** `onGone` is called when the last plugin of a driver is closed. */
export function createDRAPlugins(clock: Clock, onGone: (driver: string) => void = () => undefined): DRAPlugins {
  /** The latest last: a driver that is updated has two for a moment. */
  const clients = new Map<string, readonly DRAClient[]>();
  return {
    find: (name) => clients.get(name)?.at(-1),
    meet({ type, name, endpoint, supported_versions: versions }) {
      if (type !== 'DRAPlugin') throw new Error(`plugins of type ${type} are not supported by this node`);
      if (endpoint === '') throw new Error('endpoint is empty');
      if (!versions.includes(service)) throw new Error(`none of the services ${versions.join(', ')} is supported, ${service} is`);
      const client = createDRAClient({ socket: endpoint.replace(/^unix:(\/\/)?/, ''), clock });
      clients.set(name, [...(clients.get(name) ?? []), client]);
      return {
        close() {
          clients.set(
            name,
            (clients.get(name) ?? []).filter((one) => one !== client),
          );
          client.close();
          if (clients.get(name)?.length === 0) onGone(name);
        },
      };
    },
  };
}
