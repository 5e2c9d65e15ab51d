import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { DataDir } from '../data-dir/data-dir.ts';
import { findLocalNodes } from '../local-nodes/local-nodes.ts';
import { serviceKinds } from '../service/plan-service.ts';
import { findUnitText, unitFile } from '../service/service-manager.ts';
import { findDataDirectory } from '../service/unit-file.ts';
import type { FileFacts, FileRole } from './check-facts.ts';

export interface NamedFiles {
  /** Kubeconfigs of the administrator besides that in the data directory. */
  readonly kubeconfigs: readonly string[];
  readonly encryptionConfiguration?: string;
  readonly auditLog?: string;
  /** Whether networks of Pods are configured in /etc/cni/net.d. */
  readonly hasExternalNetwork: boolean;
}

const externalNetworks = '/etc/cni/net.d';

/** The files that the benchmark is about, as far as they are there. */
export function gatherFiles(dataDir: DataDir, named: NamedFiles, onProblem: (problem: string) => void): FileFacts[] {
  const found: FileFacts[] = [];
  const names = createNames();
  const list = (directory: string) => orProblem(() => listFiles(directory), onProblem) ?? [];
  const add = (role: FileRole, file: string | undefined) => {
    const stats = file === undefined ? undefined : orProblem(() => statSync(file, { throwIfNoEntry: false }), onProblem);
    if (file === undefined || stats === undefined || found.some((one) => one.role === role && one.path === file)) return;
    const { mode, uid, gid } = stats;
    found.push({
      path: file,
      role,
      isDirectory: stats.isDirectory(),
      mode: mode & 0o7777,
      owner: names.user(uid),
      group: names.group(gid),
    });
  };
  for (const kind of serviceKinds) {
    const unit = findUnitText(kind);
    if (unit !== undefined && findDataDirectory(unit) === dataDir.path) add('unit', unitFile(kind));
  }
  add('storage', dataDir.storage);
  for (const file of [dataDir.adminKubeconfig, ...named.kubeconfigs]) add('admin-kubeconfig', file);
  if (existsSync(dataDir.pki)) {
    add('pki-directory', dataDir.pki);
    for (const file of list(dataDir.pki)) add(roleOfKey(file), file);
  }
  add('encryption-configuration', named.encryptionConfiguration);
  add('audit-log', named.auditLog);
  for (const { node } of [dataDir, ...findLocalNodes(dataDir).map((one) => one.dataDir)]) {
    for (const file of list(path.join(node, 'cni/net.d'))) add('cni', file);
    for (const name of ['kubelet.kubeconfig', 'bootstrap-kubelet.kubeconfig']) add('kubelet-kubeconfig', path.join(node, name));
    for (const file of list(path.join(node, 'pki'))) add('kubelet-kubeconfig', file);
  }
  if (named.hasExternalNetwork) for (const file of list(externalNetworks)) add('cni', file);
  if (existsSync(dataDir.node)) add('kubelet-certificate', path.join(dataDir.pki, 'ca.crt'));
  return found;
}

/** Undefined, with a reported problem, if this process may not read it. */
function orProblem<T>(read: () => T, onProblem: (problem: string) => void): T | undefined {
  try {
    return read();
  } catch (error) {
    onProblem(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function roleOfKey(file: string): FileRole {
  if (file.endsWith('.crt')) return 'certificate';
  // A file with another name counts as a key if it contains one.
  return file.endsWith('.key') || holdsKey(file) ? 'key' : 'public-key';
}

function holdsKey(file: string): boolean {
  try {
    return readFileSync(file, 'latin1').includes('PRIVATE KEY-----');
  } catch {
    return true; // not ours to read
  }
}

/** Symbolic links count as the files they lead to. */
function listFiles(directory: string): string[] {
  const isFile = (entry: Dirent) => entry.isFile() || entry.isSymbolicLink();
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter(isFile)
    .map(({ parentPath, name }) => path.join(parentPath, name));
}

export function ownerOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 'root' : createNames().user(stats.uid);
}

/** Names of users and groups of this machine, or their numbers. */
function createNames() {
  const read = (file: string) => {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return new Map(text.split('\n').map((line) => [Number(line.split(':')[2]), line.split(':')[0] ?? '']));
  };
  const [users, groups] = [read('/etc/passwd'), read('/etc/group')];
  return { user: (id: number) => users.get(id) ?? String(id), group: (id: number) => groups.get(id) ?? String(id) };
}
