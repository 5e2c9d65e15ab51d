import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SandboxPart } from '../../cri/remove-orphans.ts';
import { childrenOf, findProcesses, readCommandLine, signalProcess } from '../processes/processes.ts';

/** A containerd-shim process, the parent of the processes in sandboxes and containers. */
interface Shim {
  readonly namespace: string;
  /**
   * The id of the sandbox, or of a container of it: containerd makes a shim for a container alone where the sandbox's does not
   * answer in time.
   */
  readonly id: string;
  /** Path of the socket of its containerd. */
  readonly address: string;
}

/** containerd's namespace for sandboxes and containers of the CRI. */
const criNamespace = 'k8s.io';

/**
 * Parses the command line of a shim; undefined: it is another program, or one that only starts or deletes a shim. `words`: as in /proc, the
 * program first.
 */
export function parseShim(words: readonly string[]): Shim | undefined {
  if (!path.basename(words[0] ?? '').startsWith('containerd-shim-')) return undefined;
  if (['start', 'delete'].includes(words.at(-1) ?? '')) return undefined;
  const after = (flag: string) => {
    const at = words.findIndex((word) => word === `-${flag}` || word === `--${flag}`);
    return at < 0 ? undefined : words[at + 1];
  };
  const [namespace, id, address] = [after('namespace'), after('id'), after('address')];
  return namespace && id && address ? { namespace, id, address } : undefined;
}

/** Pids of all shims of a containerd, in all of its namespaces, whatever other containerds the machine has. */
export async function shimsOf(containerdSocket: string): Promise<number[]> {
  return findProcesses((words) => parseShim(words)?.address === containerdSocket);
}

interface SandboxShimsDependencies {
  readonly socket: string;
  /** Whether containerd has a record of a container with this id, whoever made it. Rejects where it does not answer. */
  readonly hasRecord: (id: string) => Promise<boolean>;
}

/** The shims of a containerd's sandboxes and containers. */
export function sandboxShims({ socket, hasRecord }: SandboxShimsDependencies): SandboxPart {
  const isOurs = (words: readonly string[]) => {
    const shim = parseShim(words);
    return shim?.address === socket && shim.namespace === criNamespace ? shim : undefined;
  };
  const pidsOf = (id: string) => findProcesses((words) => isOurs(words)?.id === id);
  return {
    what: 'shims',
    async list() {
      const ids = new Set<string>();
      await findProcesses((words) => {
        const shim = isOurs(words);
        if (shim) ids.add(shim.id);
        return false;
      });
      return [...ids];
    },
    async objection(id, known) {
      const children = (await Promise.all((await pidsOf(id)).map(childrenOf))).flat();
      if (children.length === 0) return undefined;
      if (await hasRecord(id)) return 'containerd has a record of it, and processes run in it';
      const cgroups = await Promise.all(children.map((child) => readFile(`/proc/${child}/cgroup`, 'utf8').catch(() => ''))); // ended
      const inside = [...known].find((one) => cgroups.some((text) => text.includes(one)));
      return inside === undefined ? undefined : `processes of ${inside}, which the runtime knows, run in it`;
    },
    async remove(id) {
      for (const pid of await pidsOf(id)) {
        const children = await childrenOf(pid);
        // Its pid may be another's by now.
        if (isOurs(await readCommandLine(pid))?.id !== id) continue;
        // First, so that nothing is left without a parent.
        for (const child of children) signalProcess(child, 'SIGKILL');
        signalProcess(pid, 'SIGKILL');
      }
    },
  };
}
