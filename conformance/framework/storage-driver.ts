import { mkdir, rm } from 'node:fs/promises';
import type { PublishRequest, StageRequest } from '../../node-agent/plugins/csi/csi-client.ts';
import { implementService, serveSocket } from './socket-server.ts';

interface StorageDriverOptions {
  readonly name: string;
  /** The directory of its own socket. */
  readonly directory: string;
  /** The directory in which the kubelet looks for plugins. */
  readonly registry: string;
  readonly nodeID?: string;
  /** Names of what it can do, e.g. STAGE_UNSTAGE_VOLUME. */
  readonly capabilities?: readonly string[];
  readonly topology?: Readonly<Record<string, string>>;
  readonly maxVolumes?: number;
  /** Makes a volume appear at its target; default: an empty folder. */
  readonly publish?: (request: PublishRequest) => Promise<void>;
  readonly unpublish?: (targetPath: string) => Promise<void>;
}

/** A storage driver on a socket, as drivers for CSI are, that writes down what it is asked for. */
export interface StorageDriver {
  /** `stage <volume>`, `publish <volume>`, ... in order. */
  readonly calls: string[];
  readonly staged: StageRequest[];
  readonly published: PublishRequest[];
  /** Answers of the kubelet: `registered`, or why not. */
  readonly verdicts: string[];
  /** The next call of that name fails with these words. */
  failNext(call: string, words: string): void;
  stop(): Promise<void>;
}

export async function startStorageDriver(options: StorageDriverOptions): Promise<StorageDriver> {
  const { name, directory, registry, nodeID = 'node-id', capabilities = [], topology = {}, maxVolumes = 0 } = options;
  await mkdir(directory, { recursive: true });
  await mkdir(registry, { recursive: true });
  const socket = `${directory}/csi.sock`;
  const registration = `${registry}/${name}-reg.sock`;
  const failures = new Map<string, string>();
  const calls: string[] = [];
  const staged: StageRequest[] = [];
  const published: PublishRequest[] = [];
  const verdicts: string[] = [];
  const node = implementService({
    NodeGetInfo: async () => ({ node_id: nodeID, max_volumes_per_node: maxVolumes, accessible_topology: { segments: topology } }),
    NodeGetCapabilities: async () => ({ capabilities: capabilities.map((type) => ({ rpc: { type } })) }),
    async NodeStageVolume(request: StageRequest) {
      note('stage', request.volume_id);
      staged.push(request);
    },
    NodeUnstageVolume: async (request: { volume_id: string }) => note('unstage', request.volume_id),
    async NodePublishVolume(request: PublishRequest) {
      note('publish', request.volume_id);
      published.push(request);
      if (options.publish !== undefined) await options.publish(request);
      else await mkdir(request.target_path, { recursive: true });
    },
    async NodeUnpublishVolume(request: { volume_id: string; target_path: string }) {
      note('unpublish', request.volume_id);
      if (options.unpublish !== undefined) await options.unpublish(request.target_path);
      else await rm(request.target_path, { recursive: true, force: true });
    },
    async NodeExpandVolume(request: { volume_id: string; capacity_range: { required_bytes: string } }) {
      note('expand', `${request.volume_id} to ${request.capacity_range.required_bytes}`);
      return { capacity_bytes: request.capacity_range.required_bytes };
    },
  });
  function note(call: string, what: string): void {
    const words = failures.get(call);
    failures.delete(call);
    calls.push(`${call} ${what}${words === undefined ? '' : ' failed'}`);
    if (words !== undefined) throw new Error(words);
  }
  const plugin = implementService({
    GetInfo: async () => ({ type: 'CSIPlugin', name, endpoint: socket, supported_versions: ['1.0.0'] }),
    NotifyRegistrationStatus: async (request: { plugin_registered: boolean; error: string }) =>
      void verdicts.push(request.plugin_registered ? 'registered' : request.error),
  });
  const driverServer = await serveSocket(socket, '../csi/csi-v1.proto', ['csi', 'v1'], 'Node', node);
  const registrationServer = await serveSocket(
    registration,
    'plugin-registration-v1.proto',
    ['pluginregistration'],
    'Registration',
    plugin,
  );
  return {
    calls,
    staged,
    published,
    verdicts,
    failNext: (call, words) => void failures.set(call, words),
    async stop() {
      registrationServer.forceShutdown();
      driverServer.forceShutdown();
      await rm(registration, { force: true });
      await rm(socket, { force: true });
    },
  };
}
