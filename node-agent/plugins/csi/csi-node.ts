import type { Clock } from '../../../api/base/clock.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { csiNodes } from '../../../api/resources/storage/v1/csi-node.ts';
import type { CSINode, CSINodeDriver } from '../../../api/types/storage-v1.ts';
import type { RegisteredDriver } from './csi-drivers.ts';

interface CSINodeDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
}

/** The CSINode of this node: which storage drivers it has, and under which name they know it. */
interface CSINodeKeeper {
  ensure(): Promise<void>;
  announce(driver: RegisteredDriver): Promise<void>;
  withdraw(name: string): Promise<void>;
}

export function createCSINodeKeeper({ client, clock, nodeName }: CSINodeDependencies): CSINodeKeeper {
  const key = { namespace: '', name: nodeName };
  const read = async (): Promise<CSINode> => {
    const present = await ignoreNotFound(client(csiNodes).get(key));
    if (present !== undefined) return present;
    const node = await client(nodes).get(key);
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid ?? '' };
    try {
      return await client(csiNodes).create({ metadata: { name: nodeName, ownerReferences: [owner] }, spec: { drivers: [] } });
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      return client(csiNodes).get(key);
    }
  };
  const change = (drivers: (before: readonly CSINodeDriver[]) => CSINodeDriver[]) =>
    retryOnConflict(clock, async () => {
      const present = await read();
      const before = present.spec.drivers ?? [];
      const after = drivers(before);
      if (!isSemanticallyEqual(before, after)) await client(csiNodes).update({ ...present, spec: { drivers: after } });
    });
  const without = (name: string) => (before: readonly CSINodeDriver[]) => before.filter((driver) => driver.name !== name);
  return {
    async ensure() {
      await read();
    },
    async announce(driver) {
      const entry = entryOf(driver);
      // A driver's entry cannot be changed, only be removed and written anew.
      await change((before) => {
        const known = before.find(({ name }) => name === entry.name);
        return known === undefined || isSemanticallyEqual(known, entry) ? [...before] : without(entry.name)(before);
      });
      await change((before) => [...without(entry.name)(before), entry]);
      await labelNode(client, nodeName, driver);
    },
    withdraw: (name) => change(without(name)),
  };
}

function entryOf({ name, info: { nodeID, topology, maxVolumes } }: RegisteredDriver): CSINodeDriver {
  const topologyKeys = Object.keys(topology).sort();
  return {
    name,
    nodeID,
    ...(topologyKeys.length > 0 ? { topologyKeys } : {}),
    ...(maxVolumes > 0 ? { allocatable: { count: maxVolumes } } : {}),
  };
}

const nodeIDAnnotation = 'csi.volume.kubernetes.io/nodeid';

async function labelNode(client: Client, nodeName: string, { name, info }: RegisteredDriver): Promise<void> {
  const key = { namespace: '', name: nodeName };
  const { metadata } = await client(nodes).get(key);
  const known: unknown = JSON.parse(metadata.annotations?.[nodeIDAnnotation] ?? '{}');
  const ids = { ...(typeof known === 'object' ? known : {}), [name]: info.nodeID };
  const body = { metadata: { labels: { ...info.topology }, annotations: { [nodeIDAnnotation]: JSON.stringify(ids) } } };
  await client(nodes).patch(key, { type: 'strategic', body });
}
