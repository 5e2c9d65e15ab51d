import path from 'node:path';
import type { GivenFlag } from './capture-flags.ts';
import type { ServicePlan } from './unit-file.ts';

/** The command that a service runs. */
export type ServiceKind = 'up' | 'agent' | 'server';

export const serviceKinds: readonly ServiceKind[] = ['up', 'agent', 'server'];

export const unitNames: Readonly<Record<ServiceKind, string>> = { up: 'kubets', agent: 'kubets-agent', server: 'kubets-server' };

/** Services that cannot be on the same machine: they would run the same parts, on the same ports. */
export const excludes: Readonly<Record<ServiceKind, readonly ServiceKind[]>> = { up: ['agent', 'server'], agent: ['up'], server: ['up'] };

export interface ServiceInput {
  readonly kind: ServiceKind;
  readonly given: readonly GivenFlag[];
  readonly hasNode: boolean;
  /** The directory that relative paths are resolved against. */
  readonly workingDirectory: string;
  readonly dataDirectory: string;
  /** The directory of kubets: absolute. */
  readonly root: string;
  readonly nodeProgram: string;
}

const descriptions: Readonly<Record<ServiceKind, string>> = {
  up: 'Kubernetes cluster (kubets): control plane and node',
  agent: 'Kubernetes node (kubets)',
  server: 'Kubernetes control plane (kubets)',
};

/** Flags whose value is a path. */
const pathFlags = ['--kubeconfig', '--etcd-ca', '--etcd-cert', '--etcd-key', '--kubelet-certificate-authority'];
/** The flags that a machine needs only to join; they are kept in the data directory, closed to others, and not on a command line. */
const joiningFlags = ['--server', '--token', '--token-file', '--ca-hash'];
/** The periods of the example in upstream's documentation. */
const shutdownDefaults = { total: '30s', critical: '10s' };

/** The unit for a command with its flags. Throws an Error where a flag cannot be kept. */
export function planService(input: ServiceInput): ServicePlan {
  const { kind, hasNode, dataDirectory, root, nodeProgram } = input;
  const flags = keptFlags(input);
  const ownFlags = hasNode && !flags.some(({ name }) => name === '--leave-pods-running') ? [{ name: '--leave-pods-running' }] : [];
  const all = [{ name: '--data-dir', value: dataDirectory }, ...flags, ...ownFlags, ...(hasNode ? shutdownFlags(flags) : [])];
  const memory = kind === 'agent' ? [] : ['--max-semi-space-size=16'];
  const kubeconfig = flags.find(({ name }) => name === '--kubeconfig')?.value;
  return {
    name: unitNames[kind],
    description: descriptions[kind],
    command: [nodeProgram, ...memory, path.join(root, 'server/cli/kubets.mjs'), kind, ...all.flatMap(wordsOf)],
    dataDirectory,
    hasNode,
    writablePaths: [path.join(root, 'node_modules/.cache'), ...(kubeconfig === undefined ? [] : [path.dirname(kubeconfig)])],
    documentation: path.join(root, 'docs/service.md'),
  };
}

/** A value that begins with a dash must not be taken for a flag. */
function wordsOf({ name, value }: GivenFlag): string[] {
  if (value === undefined) return [name];
  return value.startsWith('-') || value === '' ? [`${name}=${value}`] : [name, value];
}

function keptFlags({ kind, given, workingDirectory }: ServiceInput): GivenFlag[] {
  const left = kind === 'agent' ? given.filter(({ name }) => !joiningFlags.includes(name)) : given;
  return left
    .filter(({ name }) => name !== '--data-dir')
    .map(({ name, value }) => {
      if (value === undefined) return { name };
      if (name === '--kubelet-arg' && /=\.{1,2}\//.test(value))
        throw new Error(`--kubelet-arg ${value}: a service has no directory that this could be relative to; give an absolute path`);
      return { name, value: pathFlags.includes(name) ? path.resolve(workingDirectory, value) : value };
    });
}

/** The flags that end Pods in order when the machine shuts down, unless the flags say otherwise. */
function shutdownFlags(flags: readonly GivenFlag[]): GivenFlag[] {
  if (flags.some(({ name, value }) => name === '--kubelet-arg' && value?.startsWith('shutdown-grace-period'))) return [];
  const { total, critical } = shutdownDefaults;
  return [`shutdown-grace-period=${total}`, `shutdown-grace-period-critical-pods=${critical}`].map((value) => ({
    name: '--kubelet-arg',
    value,
  }));
}
