import type { Clock } from '../../../api/base/clock.ts';
import { connectService, loadServices } from '../registration/socket-service.ts';

export type AccessMode =
  | 'SINGLE_NODE_WRITER'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_MULTI_WRITER'
  | 'SINGLE_NODE_SINGLE_WRITER'
  | 'SINGLE_NODE_MULTI_WRITER';

export type VolumeCapability = { readonly access_mode: { readonly mode: AccessMode } } & (
  | { readonly block: Record<string, never> }
  | { readonly mount: { readonly fs_type: string; readonly mount_flags: readonly string[]; readonly volume_mount_group: string } }
);

type Attributes = Readonly<Record<string, string>>;

export interface StageRequest {
  readonly volume_id: string;
  readonly publish_context: Attributes;
  readonly staging_target_path: string;
  readonly volume_capability: VolumeCapability;
  readonly secrets: Attributes;
  readonly volume_context: Attributes;
}

export interface PublishRequest extends StageRequest {
  readonly target_path: string;
  readonly readonly: boolean;
}

interface ExpandRequest {
  readonly volume_id: string;
  readonly volume_path: string;
  readonly capacity_range: { readonly required_bytes: number };
  readonly staging_target_path: string;
  readonly volume_capability: VolumeCapability;
  readonly secrets: Attributes;
}

export interface DriverNodeInfo {
  readonly nodeID: string;
  /** 0: no limit. */
  readonly maxVolumes: number;
  /** The node's labels by which the driver describes where volumes are reachable. */
  readonly topology: Attributes;
}

/** The node service of one storage driver. Every failure is a CRIError. */
export interface CSIClient {
  nodeInfo(): Promise<DriverNodeInfo>;
  /** The names of the driver's capabilities, e.g. STAGE_UNSTAGE_VOLUME. */
  capabilities(): Promise<ReadonlySet<string>>;
  stage(request: StageRequest): Promise<void>;
  unstage(volumeID: string, stagingPath: string): Promise<void>;
  publish(request: PublishRequest): Promise<void>;
  unpublish(volumeID: string, targetPath: string): Promise<void>;
  /** Answers the size in bytes; 0 if the driver does not say. */
  expand(request: ExpandRequest): Promise<number>;
  close(): void;
}

/** Drivers may have to format disks. */
const timeoutSeconds = 120;

export function createCSIClient({ socket, clock }: { readonly socket: string; readonly clock: Clock }): CSIClient {
  const { call, close } = connectService(loadServices('../csi/csi-v1.proto', 'csi', 'v1')['Node'], socket, { clock, timeoutSeconds });
  return {
    close,
    async nodeInfo() {
      const answer = await call<{ node_id: string; max_volumes_per_node: string; accessible_topology: { segments: Attributes } | null }>(
        'NodeGetInfo',
        {},
      );
      return {
        nodeID: answer.node_id,
        maxVolumes: Number(answer.max_volumes_per_node),
        topology: answer.accessible_topology?.segments ?? {},
      };
    },
    async capabilities() {
      const { capabilities } = await call<{ capabilities: readonly { rpc: { type: string } | null }[] }>('NodeGetCapabilities', {});
      return new Set(capabilities.flatMap(({ rpc }) => rpc?.type ?? []));
    },
    stage: (request) => call('NodeStageVolume', request),
    unstage: (volume_id, staging_target_path) => call('NodeUnstageVolume', { volume_id, staging_target_path }),
    publish: (request) => call('NodePublishVolume', request),
    unpublish: (volume_id, target_path) => call('NodeUnpublishVolume', { volume_id, target_path }),
    expand: async (request) => Number((await call<{ capacity_bytes: string }>('NodeExpandVolume', request)).capacity_bytes),
  };
}
