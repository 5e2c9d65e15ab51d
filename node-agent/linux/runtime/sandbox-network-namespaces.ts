import { readdir, rm, stat } from 'node:fs/promises';
import type { SandboxPart } from '../../cri/remove-orphans.ts';
import { runProgram } from '../processes/run-program.ts';

/**
 * The network namespaces that a containerd of the node's own has made for sandboxes, as far as no process is in them: each
 * of a Pod holds at least the process that keeps it. They go by names of their own, not by the ids of sandboxes: containerd
 * makes them before it notes the sandbox, so that one killed in between knows nothing of them any more.
 */
export function sandboxNetworkNamespaces(containerdDirectory: string): SandboxPart {
  const directory = `${containerdDirectory}/state/io.containerd.grpc.v1.cri/netns`;
  return {
    what: 'network namespaces',
    async list() {
      const names = await readdir(directory).catch(() => []); // no Pod has had one yet
      if (names.length === 0) return [];
      const inUse = await namespacesOfProcesses();
      const inodes = await Promise.all(names.map((name) => inodeOf(`${directory}/${name}`)));
      return names.filter((_, index) => {
        const inode = inodes[index];
        return inode !== undefined && !inUse.has(inode);
      });
    },
    async remove(name) {
      const file = `${directory}/${name}`;
      // A namespace that was not mounted yet is a plain file.
      await runProgram('umount', ['--lazy', file]).catch(() => undefined);
      await rm(file, { force: true });
    },
  };
}

async function namespacesOfProcesses(): Promise<ReadonlySet<number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const inodes = await Promise.all(pids.map((pid) => inodeOf(`/proc/${pid}/ns/net`)));
  return new Set(inodes.filter((inode) => inode !== undefined));
}

/** Undefined: it is gone, or not visible, which does not happen for processes of our containers. */
async function inodeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.ino;
}
