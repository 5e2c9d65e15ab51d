import { fileURLToPath } from 'node:url';
import {
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  type ServiceClientConstructor,
  status as codes,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Clock } from '../../../api/base/clock.ts';
import { CRIError, interpretCRIError } from '../../cri/cri-error.ts';

export interface PluginOptions {
  readonly pre_start_required: boolean;
  readonly get_preferred_allocation_available: boolean;
}

export interface PluginRegistration {
  readonly version: string;
  /** Name of the plugin's socket, beside that of the kubelet. */
  readonly endpoint: string;
  readonly resource_name: string;
  readonly options: PluginOptions | null;
}

interface PluginDevice {
  readonly ID: string;
  /** `Healthy` or not. */
  readonly health: string;
}

/** The mounts, devices and environment that a container needs to use its devices. */
export interface DeviceSetup {
  readonly envs: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly container_path: string; readonly host_path: string; readonly read_only: boolean }[];
  readonly devices: readonly { readonly container_path: string; readonly host_path: string; readonly permissions: string }[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly cdi_devices: readonly { readonly name: string }[];
}

/** One device plugin. Every failure is a CRIError. */
export interface DevicePlugin {
  options(): Promise<PluginOptions>;
  /** All devices, at once and after each change; throws when the plugin is gone. */
  devices(signal: AbortSignal): AsyncIterable<readonly PluginDevice[]>;
  allocate(ids: readonly string[]): Promise<DeviceSetup>;
  /** The plugin's preferred devices among the available ones. */
  prefer(available: readonly string[], mustInclude: readonly string[], count: number): Promise<readonly string[]>;
  preStart(ids: readonly string[]): Promise<void>;
  close(): void;
}

type Services = Record<'Registration' | 'DevicePlugin', ServiceClientConstructor>;

function loadServices(): Services {
  const file = fileURLToPath(new URL('./device-plugin-v1beta1.proto', import.meta.url));
  const loaded = loadPackageDefinition(loadSync(file, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }));
  return (loaded as unknown as { v1beta1: Services }).v1beta1;
}

const timeoutSeconds = 60;

export function connectDevicePlugin(socket: string, clock: Clock): DevicePlugin {
  const { DevicePlugin: constructor } = loadServices();
  const service = new constructor(`unix://${socket}`, credentials.createInsecure());
  const call = <T>(method: string, request: object) =>
    new Promise<T>((resolve, reject) => {
      const send = service[method];
      if (send === undefined) return reject(new CRIError('Unimplemented', `unknown method ${method}`));
      send.call(service, request, { deadline: clock.nowMs() + timeoutSeconds * 1000 }, (error: unknown, response: T) => {
        if (error) reject(interpretCRIError(error));
        else resolve(response);
      });
    });
  return {
    options: () => call('GetDevicePluginOptions', {}),
    async *devices(signal) {
      const send = service['ListAndWatch'];
      if (send === undefined) throw new CRIError('Unimplemented', 'unknown method ListAndWatch');
      const stream = send.call(service, {}) as unknown as AsyncIterable<{ readonly devices: readonly PluginDevice[] }> & {
        cancel(): void;
        on(event: 'error', listener: () => void): void;
      };
      stream.on('error', () => {}); // cancelling reports an error after nobody iterates any more
      const stop = () => stream.cancel();
      signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const { devices } of stream) yield devices;
      } catch (error) {
        throw interpretCRIError(error);
      } finally {
        signal.removeEventListener('abort', stop);
        stream.cancel();
      }
    },
    async allocate(ids) {
      const request = { container_requests: [{ devices_ids: ids }] };
      const [setup] = (await call<{ container_responses: readonly DeviceSetup[] }>('Allocate', request)).container_responses;
      if (!setup) throw new CRIError('Internal', 'the device plugin said nothing of the container');
      return setup;
    },
    async prefer(available, mustInclude, count) {
      const request = {
        container_requests: [{ available_deviceIDs: available, must_include_deviceIDs: mustInclude, allocation_size: count }],
      };
      const answer = await call<{ container_responses: readonly { readonly deviceIDs: readonly string[] }[] }>(
        'GetPreferredAllocation',
        request,
      );
      return answer.container_responses[0]?.deviceIDs ?? [];
    },
    preStart: async (ids) => void (await call('PreStartContainer', { devices_ids: ids })),
    close: () => service.close(),
  };
}

/** Serves the socket at which device plugins register. An error of `register` is the reason of a refusal. */
export async function serveRegistration(
  socket: string,
  register: (registration: PluginRegistration) => Promise<void>,
): Promise<{ close(): Promise<void> }> {
  const server = new Server();
  server.addService(loadServices().Registration.service, {
    Register(call: ServerUnaryCall<PluginRegistration, object>, answer: sendUnaryData<object>) {
      register(call.request).then(
        () => answer(null, {}),
        (error: unknown) => answer({ code: codes.UNKNOWN, details: error instanceof Error ? error.message : String(error) }),
      );
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
  return { close: () => new Promise((resolve) => server.tryShutdown(() => resolve())) };
}
