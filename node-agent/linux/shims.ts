import type { SandboxPart } from '../cri/remove-orphans.ts';
import { childrenOf } from './node-namespaces.ts';
import { findProcesses, signalProcess } from './processes.ts';

/** containerd's shims, one for each sandbox: the parents of what runs in it. */
export function sandboxShims(containerdSocket: string): SandboxPart {
  const ofSandbox = (line: string) =>
    line.includes('containerd-shim') && line.includes('-namespace k8s.io') && line.includes(`-address ${containerdSocket}`)
      ? / -id (\S+)/.exec(line)?.[1]
      : undefined;
  return {
    what: 'shims',
    async list() {
      const ids: string[] = [];
      await findProcesses((line) => {
        const id = ofSandbox(line);
        if (id !== undefined) ids.push(id);
        return false;
      });
      return ids;
    },
    async remove(id) {
      for (const pid of await findProcesses((line) => ofSandbox(line) === id)) {
        // First, so that nothing is left without a parent.
        for (const child of await childrenOf(pid)) signalProcess(child, 'SIGKILL');
        signalProcess(pid, 'SIGKILL');
      }
    },
  };
}
