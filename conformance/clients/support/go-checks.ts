import { existsSync } from 'node:fs';
import path from 'node:path';
import { runSuccessfully } from '../../framework/run-program.ts';

const go = '/usr/bin/go';
const libraries = '/usr/share/gocode';
const clients = path.resolve(import.meta.dirname, '..');

/** Whether Go and the distribution's package of client-go are installed. */
export const canCompileGoChecks = (): boolean => existsSync(go) && existsSync(path.join(libraries, 'src/k8s.io/client-go'));

/**
 * Compiles the checks of client-go into a directory and returns the program's path. It takes about a minute the first time; Go's cache
 * makes the next time quick.
 */
export async function compileGoChecks(directory: string): Promise<string> {
  const program = path.join(directory, 'client-go-checks');
  await runSuccessfully(go, ['build', '-o', program, './client-go'], {
    cwd: clients,
    timeoutSeconds: 500,
    env: {
      GO111MODULE: 'off',
      GOPATH: libraries,
      GOFLAGS: '',
      CGO_ENABLED: '0',
      GOTOOLCHAIN: 'local',
      GOCACHE: path.resolve(clients, '../../node_modules/.cache/go-build'),
    },
  });
  return program;
}
