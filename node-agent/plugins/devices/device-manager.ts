import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { isExtendedResource } from '../../../api/semantics/pods/resource-list.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import {
  connectDevicePlugin,
  type DevicePlugin,
  type PluginOptions,
  type PluginRegistration,
  serveRegistration,
} from './device-plugin-services.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { chooseAmong, type DeviceAllocation, deviceRequests, type PodDevices, settleChoice } from './choose-devices.ts';

interface DeviceManagerDependencies {
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absolute; where plugins and the kubelet have their sockets. */
  readonly directory: string;
  /** The uids of the Pods that still hold devices. */
  readonly holders: () => ReadonlySet<string>;
  /** Called when the node's devices have changed. */
  readonly onChange: () => void;
  readonly onRegistered: (resource: string) => void;
}

/** The devices of device plugins, and the Pods that they were given to. */
export interface DeviceManager {
  /** Serves the registration socket until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** How many there are and how many can be given away, by resource. */
  capacity(): ReadonlyMap<string, { readonly total: number; readonly healthy: number }>;
  /** Allocates all requested devices to a Pod; those that it has stay. Returns the reason for a failure, in upstream's words. */
  allocate(pod: DeepReadonly<Pod>): Promise<string | undefined>;
  /** The devices that a container was given. */
  devicesOf(pod: DeepReadonly<Pod>, container: string): readonly DeviceAllocation[];
  /** Calls the plugins that want to know that a container is about to start. */
  prepareStart(pod: DeepReadonly<Pod>, container: string): Promise<void>;
  forget(uid: string): void;
}

interface Endpoint {
  readonly plugin: DevicePlugin;
  options: PluginOptions;
  devices: ReadonlyMap<string, boolean>;
  readonly abort: AbortController;
}

/** The time within which a plugin may come back before its devices count as gone. */
const absenceMs = 5 * 60_000;
const apiVersion = 'v1beta1';

export function createDeviceManager(dependencies: DeviceManagerDependencies): DeviceManager {
  return new Manager(dependencies);
}

class Manager implements DeviceManager {
  readonly #dependencies: DeviceManagerDependencies;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #pods = new Map<string, PodDevices>();
  #known: Promise<void> | undefined;
  /** One Pod at a time, so that two do not get the same device. */
  #turn: Promise<unknown> = Promise.resolve();
  #saving: Promise<void> = Promise.resolve();

  constructor(dependencies: DeviceManagerDependencies) {
    this.#dependencies = dependencies;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { files, directory, logger } = this.#dependencies;
    const socket = `${directory}/kubelet.sock`;
    await files.makeDirectory(directory, { mode: 0o750 });
    await this.#load();
    await files.remove(socket); // plugins take a new one for a new kubelet, and register again
    const server = await serveRegistration(socket, (registration) => this.#register(registration, signal));
    logger.debug('device plugins may register', { socket });
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    for (const { abort, plugin } of this.#endpoints.values()) {
      abort.abort();
      plugin.close();
    }
    await server.close();
  }

  capacity(): ReturnType<DeviceManager['capacity']> {
    return new Map(
      [...this.#endpoints].map(([resource, { devices }]) => [
        resource,
        { total: devices.size, healthy: [...devices.values()].filter(Boolean).length },
      ]),
    );
  }

  allocate(pod: DeepReadonly<Pod>): Promise<string | undefined> {
    const turn = this.#turn.then(() => this.#allocate(pod));
    this.#turn = turn.catch(() => undefined); // whoever waited for it is told
    return turn;
  }

  devicesOf({ metadata }: DeepReadonly<Pod>, container: string): readonly DeviceAllocation[] {
    return this.#pods.get(metadata.uid ?? '')?.get(container) ?? [];
  }

  async prepareStart(pod: DeepReadonly<Pod>, container: string): Promise<void> {
    for (const { resource, ids } of this.devicesOf(pod, container)) {
      const endpoint = this.#endpoints.get(resource);
      if (endpoint?.options.pre_start_required) await endpoint.plugin.preStart(ids);
    }
  }

  forget(uid: string): void {
    if (this.#pods.delete(uid)) this.#save();
  }

  async #register({ version, endpoint, resource_name: resource, options }: PluginRegistration, signal: AbortSignal): Promise<void> {
    const { directory, clock, logger, onRegistered } = this.#dependencies;
    if (version !== apiVersion)
      throw new Error(`requested API version "${version}" is not supported by kubelet. Supported version is ["${apiVersion}"]`);
    if (!isExtendedResource(resource)) throw new Error(`the ResourceName "${resource}" is invalid`);
    if (endpoint === '' || endpoint.includes('/')) throw new Error(`the endpoint "${endpoint}" is invalid`);
    const before = this.#endpoints.get(resource);
    before?.abort.abort();
    before?.plugin.close();
    const plugin = connectDevicePlugin(`${directory}/${endpoint}`, clock);
    const fresh: Endpoint = {
      plugin,
      options: options ?? { pre_start_required: false, get_preferred_allocation_available: false },
      devices: before?.devices ?? new Map(),
      abort: new AbortController(),
    };
    this.#endpoints.set(resource, fresh);
    onRegistered(resource);
    logger.info('a device plugin has registered', { resource });
    void this.#follow(resource, fresh, AbortSignal.any([signal, fresh.abort.signal]));
  }

  /** Follows the plugin's devices until it disconnects; then none can be allocated, and after a while they are gone. */
  async #follow(resource: string, endpoint: Endpoint, signal: AbortSignal): Promise<void> {
    const { clock, logger, onChange } = this.#dependencies;
    try {
      for await (const devices of endpoint.plugin.devices(signal)) {
        endpoint.devices = new Map(devices.map(({ ID, health }) => [ID, health === 'Healthy']));
        onChange();
      }
    } catch (error) {
      if (!signal.aborted) logger.warn('a device plugin is gone', { resource, error });
    }
    if (signal.aborted) return;
    endpoint.devices = new Map([...endpoint.devices.keys()].map((id) => [id, false]));
    onChange();
    await sleep(clock, absenceMs, signal).catch(() => undefined); // replaced, or the agent stops
    if (signal.aborted) return;
    endpoint.devices = new Map();
    onChange();
  }

  async #allocate(pod: DeepReadonly<Pod>): Promise<string | undefined> {
    const { holders } = this.#dependencies;
    await this.#load();
    const { uid = '' } = pod.metadata;
    if (this.#pods.has(uid)) return undefined;
    const requests = deviceRequests(pod, (resource) => this.#endpoints.has(resource));
    if (requests.length === 0) return undefined;
    const holding = holders();
    for (const other of this.#pods.keys()) if (!holding.has(other)) this.#pods.delete(other);
    const inUse = new Map<string, Set<string>>();
    const reusable = new Map<string, Set<string>>();
    const of = (sets: Map<string, Set<string>>, resource: string) => {
      const found = sets.get(resource) ?? new Set<string>();
      sets.set(resource, found);
      return found;
    };
    for (const containers of this.#pods.values())
      for (const { resource, ids } of [...containers.values()].flat()) for (const id of ids) of(inUse, resource).add(id);
    const given = new Map<string, DeviceAllocation[]>();
    for (const request of requests) {
      const { resource, container, count, isPassing } = request;
      const endpoint = this.#endpoints.get(resource);
      if (!endpoint) continue;
      const healthy = [...endpoint.devices].filter(([, isHealthy]) => isHealthy).map(([id]) => id);
      const choice = chooseAmong(request, healthy, of(inUse, resource), of(reusable, resource));
      if ('problem' in choice) return `Allocate failed due to ${choice.problem}, which is unexpected`;
      try {
        const asks = endpoint.options.get_preferred_allocation_available && choice.available.length > count;
        const preferred = asks ? await endpoint.plugin.prefer(choice.available, choice.mustInclude, count) : [];
        const ids = settleChoice(choice, preferred, count);
        const setup = await endpoint.plugin.allocate(ids);
        given.set(container, [...(given.get(container) ?? []), { resource, ids, setup }]);
        for (const id of ids) {
          of(inUse, resource).add(id);
          if (isPassing) of(reusable, resource).add(id);
          else of(reusable, resource).delete(id);
        }
      } catch (error) {
        return `Allocate failed due to ${error instanceof Error ? error.message : String(error)}, which is unexpected`;
      }
    }
    this.#pods.set(uid, given);
    this.#save();
    return undefined;
  }

  /** Loads the devices that were given before the agent was restarted. */
  #load(): Promise<void> {
    this.#known ??= (async () => {
      const text = await this.#dependencies.files.findText(this.#checkpoint());
      if (text === undefined) return;
      const stored = JSON.parse(text) as Record<string, Record<string, DeviceAllocation[]>>;
      for (const [uid, containers] of Object.entries(stored)) this.#pods.set(uid, new Map(Object.entries(containers)));
    })().catch((error: unknown) => this.#dependencies.logger.error('what Pods were given of devices cannot be read', { error }));
    return this.#known;
  }

  #save(): void {
    const { files, logger } = this.#dependencies;
    const stored = Object.fromEntries([...this.#pods].map(([uid, containers]) => [uid, Object.fromEntries(containers)]));
    const path = this.#checkpoint();
    this.#saving = this.#saving
      .then(() => files.write(`${path}.new`, JSON.stringify(stored), { mode: 0o600 }))
      .then(() => files.rename(`${path}.new`, path))
      .catch((error: unknown) => logger.error('what Pods were given of devices cannot be kept', { error }));
  }

  #checkpoint(): string {
    return `${this.#dependencies.directory}/kubelet_allocations.json`;
  }
}
