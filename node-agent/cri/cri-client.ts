import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Clock } from '../../api/base/clock.ts';
import { CRIError, interpretCRIError } from './cri-error.ts';
import type { ContainerEvent, Image, RuntimeHandler } from './messages.ts';
import type { CgroupDriver, ContainerRuntime, ImageStore } from './runtime.ts';

const megabyte = 1 << 20;
const shortTimeoutSeconds = 120;
/** Creating, starting and pulling may wait for disks; the worker that waits can be cut off by its own signal. */
const longTimeoutSeconds = 4 * 60;
const pullTimeoutSeconds = 60 * 60;

type Call = <T>(method: string, request: object, timeoutSeconds?: number) => Promise<T>;

export interface CRIClient {
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
  close(): void;
}

interface CRIClientDependencies {
  readonly endpoint: string;
  readonly clock: Clock;
  /** A call was answered: its name as upstream's metrics spell it, e.g. run_podsandbox. */
  readonly onOperation?: (operation: string, tookMs: number, hasFailed: boolean) => void;
}

/** Connects (lazily) to a CRI endpoint, `unix:///path`. Names on the wire are kept, int64 arrive as strings. */
export function createCRIClient({ endpoint, clock, onOperation = () => {} }: CRIClientDependencies): CRIClient {
  const file = fileURLToPath(new URL('./runtime-v1.proto', import.meta.url));
  const definition = loadPackageDefinition(
    loadSync(file, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }),
  ) as unknown as { runtime: { v1: Record<'RuntimeService' | 'ImageService', ServiceClientConstructor> } };
  const options = {
    'grpc.max_receive_message_length': 16 * megabyte,
    'grpc.max_send_message_length': 16 * megabyte,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  };
  const { RuntimeService, ImageService } = definition.runtime.v1;
  const runtimeService = new RuntimeService(endpoint, credentials.createInsecure(), options);
  const imageService = new ImageService(endpoint, credentials.createInsecure(), options);
  return {
    runtime: createRuntime(callerOf(runtimeService, clock, onOperation), runtimeService),
    images: createImageStore(callerOf(imageService, clock, onOperation)),
    close() {
      runtimeService.close();
      imageService.close();
    },
  };
}

type Service = InstanceType<ServiceClientConstructor>;

function callerOf(service: Service, clock: Clock, onOperation: NonNullable<CRIClientDependencies['onOperation']>): Call {
  return <T>(method: string, request: object, timeoutSeconds = shortTimeoutSeconds) =>
    new Promise<T>((resolve, reject) => {
      const send = service[method];
      if (send === undefined) return reject(new CRIError('Unimplemented', `unknown method ${method}`));
      const deadline = clock.nowMs() + timeoutSeconds * 1000;
      const startedMs = clock.monotonicMs();
      send.call(service, request, { deadline }, (error: unknown, response: T) => {
        onOperation(operationName(method), clock.monotonicMs() - startedMs, Boolean(error));
        if (error) reject(interpretCRIError(error));
        else resolve(response);
      });
    });
}

/** `RunPodSandbox` -> `run_podsandbox` */
function operationName(method: string): string {
  return method
    .replace('PodSandbox', 'Podsandbox')
    .replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`)
    .toLowerCase();
}

function createRuntime(call: Call, service: Service): ContainerRuntime {
  const filterOf = (labels: Readonly<Record<string, string>> | undefined) => (labels ? { filter: { label_selector: labels } } : {});
  const version: ContainerRuntime['version'] = () => call('Version', { version: 'v1' });
  let name: string | undefined;
  let tellsDriver = true;
  return {
    version,
    name: async () => (name ??= (await version()).runtime_name),
    status: async () => (await call<{ status: { conditions: [] } }>('Status', {})).status.conditions,
    capabilities: async () => {
      const { runtime_handlers: handlers, features } = await call<StatedCapabilities>('Status', {});
      return { handlers, supplementalGroupsPolicy: features?.supplemental_groups_policy ?? false };
    },
    async cgroupDriver() {
      if (!tellsDriver) return undefined;
      try {
        return (await call<{ linux: { cgroup_driver: CgroupDriver } | null }>('RuntimeConfig', {})).linux?.cgroup_driver;
      } catch (error) {
        if (!(error instanceof CRIError) || error.code !== 'Unimplemented') throw error;
        tellsDriver = false;
        return undefined;
      }
    },
    runPodSandbox: async (config, runtime_handler) =>
      (await call<{ pod_sandbox_id: string }>('RunPodSandbox', { config, runtime_handler }, longTimeoutSeconds)).pod_sandbox_id,
    async stopPodSandbox(pod_sandbox_id) {
      // Some wait for containers as long as the call may take, and others let them go on.
      const filter = { pod_sandbox_id, state: { state: 'CONTAINER_RUNNING' } };
      const { containers } = await call<{ containers: readonly { readonly id: string }[] }>('ListContainers', { filter });
      await Promise.all(containers.map(({ id }) => call('StopContainer', { container_id: id, timeout: 0 }, longTimeoutSeconds)));
      await call('StopPodSandbox', { pod_sandbox_id }, longTimeoutSeconds);
    },
    removePodSandbox: (pod_sandbox_id) => call('RemovePodSandbox', { pod_sandbox_id }, longTimeoutSeconds),
    podSandboxStatus: async (pod_sandbox_id) => (await call<{ status: never }>('PodSandboxStatus', { pod_sandbox_id })).status,
    listPodSandboxes: async (labels) => (await call<{ items: [] }>('ListPodSandbox', filterOf(labels))).items,
    createContainer: async (pod_sandbox_id, config, sandbox_config) => {
      const request = { pod_sandbox_id, config, sandbox_config };
      return (await call<{ container_id: string }>('CreateContainer', request, longTimeoutSeconds)).container_id;
    },
    startContainer: (container_id) => call('StartContainer', { container_id }, longTimeoutSeconds),
    stopContainer: (container_id, timeout) => call('StopContainer', { container_id, timeout }, timeout + shortTimeoutSeconds),
    removeContainer: (container_id) => call('RemoveContainer', { container_id }, longTimeoutSeconds),
    listContainers: async (labels) => (await call<{ containers: [] }>('ListContainers', filterOf(labels))).containers,
    containerStatus: async (container_id) => (await call<{ status: never }>('ContainerStatus', { container_id })).status,
    reopenContainerLog: (container_id) => call('ReopenContainerLog', { container_id }),
    updateContainerResources: (container_id, linux) => call('UpdateContainerResources', { container_id, linux }),
    execSync: (container_id, cmd, timeout) =>
      call('ExecSync', { container_id, cmd, timeout }, timeout > 0 ? timeout + shortTimeoutSeconds : 24 * 3600),
    exec: async (container_id, cmd, streams) => streamURL(await call<{ url: string }>('Exec', { container_id, cmd, ...streams })),
    attach: async (container_id, streams) => streamURL(await call<{ url: string }>('Attach', { container_id, ...streams })),
    portForward: async (pod_sandbox_id, port) => streamURL(await call<{ url: string }>('PortForward', { pod_sandbox_id, port })),
    listPodSandboxStats: async () => (await call<{ stats: [] }>('ListPodSandboxStats', {})).stats,
    listContainerStats: async () => (await call<{ stats: [] }>('ListContainerStats', {})).stats,
    containerEvents: (signal) => containerEvents(service, signal),
  };
}

/** Some answer without a scheme, `//127.0.0.1:1234/exec/...`. */
function streamURL({ url }: { readonly url: string }): string {
  return new URL(url, 'http://127.0.0.1').href;
}

interface StatedCapabilities {
  readonly runtime_handlers: readonly RuntimeHandler[];
  readonly features: { readonly supplemental_groups_policy: boolean } | null;
}

async function* containerEvents(service: Service, signal: AbortSignal): AsyncGenerator<ContainerEvent> {
  signal.throwIfAborted();
  const send = service['GetContainerEvents'];
  if (send === undefined) throw new CRIError('Unimplemented', 'unknown method GetContainerEvents');
  const stream = send.call(service, {}) as unknown as AsyncIterable<ContainerEvent> & {
    cancel(): void;
    on(event: 'error', listener: () => void): void;
  };
  stream.on('error', () => {}); // cancelling reports an error after nobody iterates any more
  const stop = () => stream.cancel();
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* stream;
  } catch (error) {
    throw interpretCRIError(error);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
}

interface StatedFileSystem {
  readonly fs_id: { readonly mountpoint: string } | null;
  readonly used_bytes: { readonly value: string } | null;
  readonly inodes_used: { readonly value: string } | null;
}

interface StatedFileSystems {
  readonly image_filesystems: readonly StatedFileSystem[];
  readonly container_filesystems: readonly StatedFileSystem[];
}

function createImageStore(call: Call): ImageStore {
  return {
    listImages: async () => (await call<{ images: [] }>('ListImages', {})).images,
    imageStatus: async (image) => (await call<{ image: Image | null }>('ImageStatus', { image: { image } })).image ?? undefined,
    pullImage: async (image, auth, sandbox_config) => {
      const request = {
        image: { image, user_specified_image: image },
        ...(auth ? { auth } : {}),
        ...(sandbox_config ? { sandbox_config } : {}),
      };
      return (await call<{ image_ref: string }>('PullImage', request, pullTimeoutSeconds)).image_ref;
    },
    removeImage: (image) => call('RemoveImage', { image: { image } }, longTimeoutSeconds),
    imageFileSystem: async () => {
      const stated = await call<StatedFileSystems>('ImageFsInfo', {});
      const first = stated.image_filesystems[0];
      const layers = stated.container_filesystems[0]?.fs_id?.mountpoint;
      if (!first) return undefined;
      return {
        mountpoint: first.fs_id?.mountpoint ?? '',
        usedBytes: Number(first.used_bytes?.value ?? 0),
        inodesUsed: Number(first.inodes_used?.value ?? 0),
        ...(layers ? { layersMountpoint: layers } : {}),
      };
    },
  };
}
