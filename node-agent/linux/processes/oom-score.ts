import { writeFile } from 'node:fs/promises';
import { runProgram } from './run-program.ts';

/**
 * Scores that the kernel's OOM killer is given, as upstream has them: the lower, the later a process is killed. The control
 * plane has that of a Pod which is system-node-critical.
 */
export const oomScores = { agent: -999, containerd: -999, shim: -998, nodeNamespaces: -998, controlPlane: -997 } as const;

/** Rejects if the kernel forbids it: a lower score needs CAP_SYS_RESOURCE. Does nothing for a process that has ended. */
export async function setOOMScore(pid: number | 'self', score: number): Promise<void> {
  try {
    await writeFile(`/proc/${pid}/oom_score_adj`, String(score));
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(String(error.code))) return;
    throw error;
  }
}

/** Whether programs started from here may lower their score, as containerd does for Pods: tried by a process that ends with it. */
export async function mayLowerOOMScores(): Promise<boolean> {
  try {
    await runProgram('sh', ['-c', `echo ${oomScores.shim} > /proc/self/oom_score_adj`]);
    return true;
  } catch {
    return false; // in containers and small virtual machines
  }
}
