import { PassThrough } from 'node:stream';
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}

/** Runs a command in a container with the official client's Exec (WebSocket) and waits for its exit status. */
export async function execInPod(kubeConfig: KubeConfig, target: ExecTarget): Promise<ExecResult> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [output, errors] = [collect(stdout), collect(stderr)];
  const ended = Promise.withResolvers<V1Status>();
  const onAbort = () => ended.reject(target.signal.reason);
  target.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { namespace, pod, container, command } = target;
    const socket = await new Exec(kubeConfig).exec(namespace, pod, container, [...command], stdout, stderr, null, false, ended.resolve);
    socket.on('close', () => ended.reject(new Error('the connection was closed before the exit status came')));
    const status = await ended.promise;
    socket.close();
    stdout.end();
    stderr.end();
    return { exitCode: exitCodeOf(status), stdout: await output, stderr: await errors };
  } finally {
    target.signal.removeEventListener('abort', onAbort);
  }
}

async function collect(stream: PassThrough): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function exitCodeOf(status: V1Status): number {
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (cause?.message === undefined) throw new Error(`exec failed: ${status.message ?? JSON.stringify(status)}`);
  return Number(cause.message);
}
