import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createCgroups } from '../../../node-agent/linux/cgroups/cgroups.ts';
import { createNodeBridge, type NodeBridge } from '../../../node-agent/linux/namespaces/node-bridge.ts';
import { createNodeNamespaces, type NodeNamespaces } from '../../../node-agent/linux/namespaces/node-namespaces.ts';
import type { DataDir } from '../data-dir/data-dir.ts';

/** One of several nodes on this machine, in namespaces of its own. */
export interface LocalNode {
  readonly name: string;
  /** From 0: decides its address. */
  readonly index: number;
  readonly dataDir: DataDir;
  readonly namespaces: NodeNamespaces;
}

/** The folders that each node has for itself; all else it shares with the machine. */
const privateFolders = ['/run', '/var/lib/cni', '/etc/cni', '/opt/cni'];

const nodesFolder = (dataDir: DataDir) => path.join(dataDir.path, 'nodes');

/** An id that distinguishes the network interfaces and namespaces of this data dir from those of others on the machine. */
function clusterID(dataDir: DataDir): string {
  return createHash('sha256').update(dataDir.path).digest('hex').slice(0, 6);
}

function cgroupOf(dataDir: DataDir): string {
  return `/kubets-${clusterID(dataDir)}`;
}

export function localNodeBridge(dataDir: DataDir, cidrs: readonly string[]): NodeBridge {
  return createNodeBridge({ name: `kubets-${clusterID(dataDir)}`, cidrs });
}

export function localNodes(dataDir: DataDir, prefix: string, count: number): LocalNode[] {
  return Array.from({ length: count }, (_, index) => localNode(dataDir, `${prefix}-${index + 1}`, index));
}

function localNode(dataDir: DataDir, name: string, index: number): LocalNode {
  const directory = path.join(nodesFolder(dataDir), name);
  return {
    name,
    index,
    dataDir: { ...dataDir, path: directory, node: path.join(directory, 'node') },
    namespaces: createNodeNamespaces({ name, directory, cgroup: `${cgroupOf(dataDir)}/${name}`, privateFolders }, { clock: systemClock }),
  };
}

/** All that were ever started on this data dir. */
export function findLocalNodes(dataDir: DataDir): LocalNode[] {
  const folder = nodesFolder(dataDir);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name, index) => localNode(dataDir, name, index));
}

/** Starts the node's namespaces, or adopts them, and connects them with the bridge. Resolves to the pid of their first process. */
export async function startNamespaces(node: LocalNode, bridge: NodeBridge): Promise<number> {
  mkdirSync(node.dataDir.path, { recursive: true });
  const images = path.join(node.dataDir.path, 'images');
  if (!existsSync(images)) symlinkSync(path.relative(node.dataDir.path, node.dataDir.images), images);
  const { pid, isNew } = await node.namespaces.ensure();
  if (isNew) await bridge.connect(node.index, pid);
  return pid;
}

/** Ends all processes of the nodes of this data dir and removes their network. With `forget` also their stored data. */
export async function removeLocalNodes(dataDir: DataDir, { forget }: { readonly forget: boolean }): Promise<void> {
  const nodes = findLocalNodes(dataDir);
  await Promise.all(nodes.map(({ namespaces }) => namespaces.end()));
  await (await createCgroups()).remove(cgroupOf(dataDir));
  await localNodeBridge(dataDir, []).remove();
  if (forget) rmSync(nodesFolder(dataDir), { recursive: true, force: true });
}
