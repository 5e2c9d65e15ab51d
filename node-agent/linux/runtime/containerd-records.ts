import { runProgram } from '../processes/run-program.ts';

const timeoutMs = 30_000;

/**
 * Whether a containerd has a record of a container with this id in the CRI's namespace: of a sandbox, of a container, or of one made by
 * another client. Its CRI plugin does not list containers that it failed to load at its start.
 */
export async function hasContainerdRecord(socket: string, id: string): Promise<boolean> {
  const args = ['--address', socket, '--namespace', 'k8s.io', 'containers', 'list', '--quiet', `id==${id}`];
  const output = await runProgram('ctr', args, { signal: AbortSignal.timeout(timeoutMs) });
  return output.split('\n').some((line) => line.trim() === id);
}
