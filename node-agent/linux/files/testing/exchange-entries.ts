import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Exchanges `<directory>/d<i>` with `<directory>/l<i>` for all i again and again (renameat2(2), RENAME_EXCHANGE), as a container might. */
const program = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
directory = os.open(sys.argv[1], os.O_RDONLY)
pairs = [(b"d%d" % i, b"l%d" % i) for i in range(int(sys.argv[2]))]
print("ready", flush=True)
while True:
    for one, other in pairs:
        libc.renameat2(directory, one, directory, other, 2)
`;

/** A process that continually exchanges the entries of a directory. Resolves once it runs. */
export async function exchangeEntries(directory: string, pairs: number): Promise<{ stop(): Promise<void> }> {
  const child = spawn('python3', ['-c', program, directory, String(pairs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => {
      throw new Error('python3 could not run');
    }),
  ]);
  return {
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
