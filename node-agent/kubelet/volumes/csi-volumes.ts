import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { needsAttachment, uniqueVolumeName } from '../../../api/semantics/storage/csi-volumes.ts';
import type { ClaimedVolume } from '../../../api/semantics/pods/pod-claims.ts';
import type { Pod, Secret, Volume } from '../../../api/types/core-v1.ts';
import type { CSIDriver } from '../../../api/types/storage-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { CSIDrivers, RegisteredDriver } from '../../plugins/csi/csi-drivers.ts';
import {
  attachmentNameOf,
  findVolumeData,
  inlineHandle,
  nodeVolumes,
  podFolders,
  type VolumeData,
  volumeDataFile,
  type VolumePlaces,
  volumePlaces,
} from '../../plugins/csi/csi-paths.ts';
import { leavesGroupToKubelet, podAttributes, volumeCapability, type VolumeWish } from '../../plugins/csi/volume-request.ts';
import type { NodePaths } from '../../node-paths.ts';
import { readAttachment } from './attachment.ts';
import { expandOnNode } from './expand-on-node.ts';
import { applyFSGroup } from './fs-group.ts';
import { createInTurn } from './in-turn.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import type { BoundVolume } from './bound-volume.ts';

interface CSIVolumesDependencies {
  readonly client: Client;
  readonly files: HostFiles;
  readonly paths: NodePaths;
  readonly nodeName: string;
  readonly drivers: CSIDrivers;
  readonly tokens: ServiceAccountTokens;
  /** The driver's object in the API. */
  readonly driverObject: (name: string) => DeepReadonly<CSIDriver> | undefined;
  readonly secret: (namespace: string, name: string) => Promise<DeepReadonly<Secret> | undefined>;
}

/** Volumes that storage drivers make. */
export interface CSIVolumes {
  /** Answers the folder, or the device of a block volume. May be repeated. */
  setUpPersistent(pod: DeepReadonly<Pod>, claimed: ClaimedVolume, bound: BoundVolume): Promise<string>;
  setUpInline(pod: DeepReadonly<Pod>, volume: DeepReadonly<Volume>): Promise<string>;
  /** Has the drivers take back all that they made for the Pod, and for the node if no other Pod uses it. */
  release(podUID: string): Promise<void>;
  /** Volumes that must not be detached from the node, as its status names them. */
  inUse(): Promise<string[]>;
}

/** The parameters of a Pod's volume. */
interface Order {
  readonly pod: DeepReadonly<Pod>;
  readonly data: VolumeData;
  readonly places: VolumePlaces;
  readonly wish: VolumeWish;
  readonly driver: RegisteredDriver;
  readonly object: DeepReadonly<CSIDriver> | undefined;
  readonly publishContext: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
  readonly stageSecrets: Readonly<Record<string, string>>;
  readonly publishSecrets: Readonly<Record<string, string>>;
}

export function createCSIVolumes(dependencies: CSIVolumesDependencies): CSIVolumes {
  return new Volumes(dependencies);
}

class Volumes implements CSIVolumes {
  readonly #dependencies: CSIVolumesDependencies;
  readonly #inTurn = createInTurn();
  /** The staging and target paths that this process has set up. A restarted process calls the drivers again. */
  readonly #made = new Set<string>();
  /** Pods' volumes that have to be attached, by Pod: known before anything is made. */
  readonly #wanted = new Map<string, Set<string>>();

  constructor(dependencies: CSIVolumesDependencies) {
    this.#dependencies = dependencies;
  }

  async inUse(): Promise<string[]> {
    const { files, paths, driverObject } = this.#dependencies;
    const staged = (await nodeVolumes(files, paths))
      .filter(({ driverName }) => needsAttachment(driverObject(driverName)))
      .map(({ driverName, volumeHandle }) => uniqueVolumeName(driverName, volumeHandle));
    return [...new Set([...staged, ...[...this.#wanted.values()].flatMap((names) => [...names])])].sort();
  }

  async setUpPersistent(pod: DeepReadonly<Pod>, claimed: ClaimedVolume, bound: BoundVolume): Promise<string> {
    const { nodeName, driverObject, client } = this.#dependencies;
    const { spec, metadata } = bound.volume;
    const csi = spec?.csi;
    if (csi === undefined) throw new TypeError(`volume ${metadata.name} is of no driver`);
    const driver = this.#find(csi.driver);
    const object = driverObject(csi.driver);
    const uid = pod.metadata.uid ?? '';
    const attachmentID = attachmentNameOf(csi.volumeHandle, csi.driver, nodeName);
    const data: VolumeData = {
      driverName: csi.driver,
      volumeHandle: csi.volumeHandle,
      specVolID: metadata.name ?? '',
      volumeLifecycleMode: 'Persistent',
      nodeName,
      attachmentID,
    };
    const isAttached = needsAttachment(object);
    if (isAttached) this.#want(uid, uniqueVolumeName(csi.driver, csi.volumeHandle));
    const isBlock = spec?.volumeMode === 'Block';
    const order: Order = {
      pod,
      data,
      places: volumePlaces(this.#dependencies.paths, uid, data, isBlock),
      wish: {
        isBlock,
        fsType: csi.fsType ?? '',
        mountOptions: spec?.mountOptions ?? [],
        accessModes: spec?.accessModes ?? [],
        readOnly: (csi.readOnly ?? false) || (claimed.volume.persistentVolumeClaim?.readOnly ?? false),
      },
      driver,
      object,
      publishContext: isAttached ? await readAttachment(client, attachmentID, data) : {},
      attributes: { ...csi.volumeAttributes, ...podAttributes(pod, object, false) },
      stageSecrets: await this.#secrets(csi.nodeStageSecretRef),
      publishSecrets: await this.#secrets(csi.nodePublishSecretRef),
    };
    return this.#inTurn(`${csi.driver}/${csi.volumeHandle}`, async () => {
      const path = await this.#make(order);
      if (driver.capabilities.has('EXPAND_VOLUME')) {
        const capability = volumeCapability(order.wish, driver.capabilities, undefined);
        const staging = driver.capabilities.has('STAGE_UNSTAGE_VOLUME') ? order.places.staging : '';
        const secrets = await this.#secrets(csi.nodeExpandSecretRef);
        await expandOnNode({ client, driver, bound, capability, path, staging, secrets });
      }
      return path;
    });
  }

  async setUpInline(pod: DeepReadonly<Pod>, volume: DeepReadonly<Volume>): Promise<string> {
    const { csi } = volume;
    if (!csi) throw new TypeError(`volume ${volume.name} is of no driver`);
    const { driverObject, nodeName, paths } = this.#dependencies;
    const driver = this.#find(csi.driver);
    const object = driverObject(csi.driver);
    const modes = object?.spec.volumeLifecycleModes ?? ['Persistent'];
    if (!modes.includes('Ephemeral')) {
      throw new Error(`volume mode "Ephemeral" not supported by driver ${csi.driver} (only supports ${JSON.stringify(modes)})`);
    }
    const uid = pod.metadata.uid ?? '';
    const data: VolumeData = {
      driverName: csi.driver,
      volumeHandle: inlineHandle(uid, volume.name),
      specVolID: volume.name,
      volumeLifecycleMode: 'Ephemeral',
      nodeName,
      attachmentID: '',
    };
    const { nodePublishSecretRef: secretRef } = csi;
    const namespace = pod.metadata.namespace ?? '';
    const order: Order = {
      pod,
      data,
      places: volumePlaces(paths, uid, data, false),
      wish: { isBlock: false, fsType: csi.fsType ?? '', mountOptions: [], accessModes: ['ReadWriteOnce'], readOnly: csi.readOnly ?? false },
      driver,
      object,
      publishContext: {},
      attributes: { ...csi.volumeAttributes, ...podAttributes(pod, object, true) },
      stageSecrets: {},
      publishSecrets: await this.#secrets(secretRef?.name === undefined ? undefined : { name: secretRef.name, namespace }),
    };
    return this.#inTurn(`${csi.driver}/${data.volumeHandle}`, () => this.#make(order));
  }

  #find(name: string): RegisteredDriver {
    const driver = this.#dependencies.drivers.find(name);
    if (driver !== undefined) return driver;
    throw new Error(
      `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${name} not found in the list of registered CSI drivers`,
    );
  }

  #want(uid: string, name: string): void {
    const names = this.#wanted.get(uid) ?? new Set<string>();
    this.#wanted.set(uid, names.add(name));
  }

  async #make(order: Order): Promise<string> {
    const { files } = this.#dependencies;
    const { pod, places, wish, driver, object, data } = order;
    const isInline = data.volumeLifecycleMode === 'Ephemeral';
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    const driverSetsGroup = driver.capabilities.has('VOLUME_MOUNT_GROUP');
    const capability = volumeCapability(wish, driver.capabilities, driverSetsGroup ? fsGroup : undefined);
    const isStaged = !isInline && driver.capabilities.has('STAGE_UNSTAGE_VOLUME');
    const request = {
      volume_id: data.volumeHandle,
      publish_context: order.publishContext,
      staging_target_path: isStaged ? places.staging : '',
      volume_capability: capability,
      volume_context: order.attributes,
    };
    if (isStaged && !this.#made.has(places.staging)) {
      await files.makeDirectory(places.staging, { mode: 0o750 });
      await this.#note(places.ofNode, data);
      await driver.client.stage({ ...request, secrets: order.stageSecrets });
      this.#made.add(places.staging);
    }
    const isNew = !this.#made.has(places.target);
    if (isNew || object?.spec.requiresRepublish === true) {
      await this.#note(places.ofPod, data);
      await files.makeDirectory(places.target.slice(0, places.target.lastIndexOf('/')), { mode: 0o750 });
      const tokens = await this.#tokens(pod, object);
      await driver.client.publish({
        ...request,
        target_path: places.target,
        readonly: wish.readOnly,
        secrets: order.publishSecrets,
        volume_context: { ...order.attributes, ...tokens },
      });
    }
    if (isNew && !driverSetsGroup && leavesGroupToKubelet(wish, object, isInline)) await applyFSGroup(files, pod, places.target);
    this.#made.add(places.target);
    return places.target;
  }

  async #note(directory: string, data: VolumeData): Promise<void> {
    await this.#dependencies.files.makeDirectory(directory, { mode: 0o750 });
    await this.#dependencies.files.write(`${directory}/${volumeDataFile}`, JSON.stringify(data), { mode: 0o600 });
  }

  async #secrets(reference: { readonly name?: string; readonly namespace?: string } | undefined): Promise<Record<string, string>> {
    if (reference === undefined) return {};
    const { name = '', namespace = '' } = reference;
    const secret = await this.#dependencies.secret(namespace, name);
    if (secret === undefined) throw new Error(`failed to find the secret ${name} in the namespace ${namespace}`);
    return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
  }

  async #tokens({ metadata, spec }: DeepReadonly<Pod>, object: DeepReadonly<CSIDriver> | undefined): Promise<Record<string, string>> {
    const requests = object?.spec.tokenRequests ?? [];
    if (requests.length === 0) return {};
    const tokens: Record<string, { token: string; expirationTimestamp: string }> = {};
    for (const { audience, expirationSeconds = 3600 } of requests) {
      const order = {
        namespace: metadata.namespace ?? '',
        serviceAccount: spec?.serviceAccountName ?? 'default',
        podName: metadata.name ?? '',
        podUID: metadata.uid ?? '',
        audience,
        expirationSeconds,
      };
      tokens[audience] = await this.#dependencies.tokens.getWithExpiry(order);
    }
    return { 'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(tokens) };
  }

  async release(podUID: string): Promise<void> {
    const { files, paths } = this.#dependencies;
    for (const [kind, folder] of Object.entries(podFolders)) {
      const directory = `${paths.pods}/${podUID}/${folder}`;
      for (const name of await files.names(directory)) {
        const data = await findVolumeData(files, `${directory}/${name}`);
        if (data === undefined) continue;
        const places = volumePlaces(paths, podUID, data, kind === 'block');
        await this.#inTurn(`${data.driverName}/${data.volumeHandle}`, () => this.#takeBack(podUID, data, places));
      }
    }
    this.#wanted.delete(podUID);
  }

  async #takeBack(podUID: string, data: VolumeData, places: VolumePlaces): Promise<void> {
    const { files, drivers, paths } = this.#dependencies;
    const { driverName, volumeHandle } = data;
    const driver = drivers.find(driverName);
    if (driver === undefined) throw new Error(`driver name ${driverName} not found in the list of registered CSI drivers`);
    await driver.client.unpublish(volumeHandle, places.target);
    this.#made.delete(places.target);
    await files.remove(places.target);
    await files.remove(places.ofPod);
    if (data.volumeLifecycleMode === 'Ephemeral' || (await this.#isUsedByOthers(podUID, data))) return;
    if ((await findVolumeData(files, places.ofNode)) === undefined) return;
    if (driver.capabilities.has('STAGE_UNSTAGE_VOLUME')) await driver.client.unstage(volumeHandle, places.staging);
    this.#made.delete(places.staging);
    await files.remove(places.staging);
    await files.remove(places.ofNode);
    // The folder of a block volume holds nothing else.
    if (places.ofNode.startsWith(`${paths.plugins}/kubernetes.io/csi/volumeDevices/`)) {
      await files.remove(places.ofNode.slice(0, places.ofNode.lastIndexOf('/')));
    }
  }

  async #isUsedByOthers(podUID: string, { driverName, volumeHandle }: VolumeData): Promise<boolean> {
    const { files, paths } = this.#dependencies;
    for (const uid of await files.names(paths.pods)) {
      if (uid === podUID) continue;
      for (const folder of Object.values(podFolders)) {
        const directory = `${paths.pods}/${uid}/${folder}`;
        for (const name of await files.names(directory)) {
          const other = await findVolumeData(files, `${directory}/${name}`);
          if (other?.driverName === driverName && other.volumeHandle === volumeHandle) return true;
        }
      }
    }
    return false;
  }
}
