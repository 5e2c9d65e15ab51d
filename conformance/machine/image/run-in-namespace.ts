import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * Runs a script of `sh` in its own mount and process namespace: its mounts are visible nowhere else, and mounts and processes end with it
 * or when `signal` aborts.
 */
export function runInNamespace(
  script: string,
  args: readonly string[],
  { log, signal }: { readonly log: string; readonly signal: AbortSignal },
): Promise<void> {
  const output = openSync(log, 'w');
  return new Promise<void>((resolve, reject) => {
    const namespace = ['--mount', '--pid', '--fork', '--kill-child=KILL', '--propagation', 'private'];
    const child = spawn('unshare', [...namespace, 'sh', '-c', script, 'sh', ...args], {
      stdio: ['ignore', output, output],
      signal,
      killSignal: 'SIGKILL',
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`the script ended with ${code}: see ${log}`))));
  }).finally(() => closeSync(output));
}
