import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { findNames, linesOf, textOf } from './read-facts.ts';
import type { CgroupFacts, KernelFacts, MountFacts } from './surveyed-machine.ts';

/** A part of the kernel: a module, or an option that builds it in. */
export interface KernelPart {
  readonly module: string;
  readonly option: string;
}

/** `wanted`: the parts to look for in the lists of modules and options, which are long. */
export async function readKernel(wanted: readonly KernelPart[], readsConfiguration: boolean): Promise<KernelFacts> {
  const modules = await findModules(release(), wanted);
  const [fileSystems, namespaces, status, loadedModules, loaded, configuration, selinux] = await Promise.all([
    linesOf('/proc/filesystems'),
    findNames('/proc/self/ns'),
    textOf('/proc/self/status'),
    findNames('/sys/module'),
    textOf('/proc/modules'),
    // The configuration is not needed if the modules themselves are known.
    readsConfiguration && modules === undefined ? findOptions(release(), wanted) : undefined,
    textOf('/sys/fs/selinux/enforce'),
  ]);
  return {
    release: release(),
    fileSystems: fileSystems.map((line) => line.replace(/^nodev/, '').trim()),
    namespaces: namespaces ?? [],
    hasSeccomp: /^Seccomp:/m.test(status),
    loadedModules: loadedModules ?? [],
    isModular: loaded !== '',
    modules,
    configuration,
    enforcesSELinux: selinux === '1',
  };
}

async function findModules(kernel: string, wanted: readonly KernelPart[]): Promise<KernelFacts['modules']> {
  for (const folder of ['/lib/modules', '/usr/lib/modules']) {
    const loadable = await textOf(`${folder}/${kernel}/modules.dep`);
    const builtIn = await textOf(`${folder}/${kernel}/modules.builtin`);
    if (loadable + builtIn === '') continue;
    const namedIn = (text: string) => wanted.flatMap(({ module }) => (text.includes(`/${module}.ko`) ? [module] : []));
    return { builtIn: namedIn(builtIn), loadable: namedIn(loadable) };
  }
  return undefined;
}

async function findOptions(kernel: string, wanted: readonly KernelPart[]): Promise<KernelFacts['configuration']> {
  const text = await readConfiguration(kernel);
  if (text === undefined) return undefined;
  const valueOf = (option: string) => ['y', 'm'].filter((value) => text.includes(`\n${option}=${value}\n`));
  return Object.fromEntries(wanted.flatMap(({ option }) => valueOf(option).map((value) => [option, value])));
}

async function readConfiguration(kernel: string): Promise<string | undefined> {
  for (const file of [`/boot/config-${kernel}`, `/lib/modules/${kernel}/config`]) {
    const text = await textOf(file);
    if (text !== '') return `${text}\n`;
  }
  try {
    return (await promisify(gunzip)(await readFile('/proc/config.gz'))).toString('latin1');
  } catch {
    return undefined; // the kernel does not tell
  }
}

export async function readMounts(): Promise<MountFacts[]> {
  return (await linesOf('/proc/self/mountinfo')).map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , point = '', options = ''] = before.split(' ');
    const [type = '', , superOptions = ''] = after.split(' ');
    const unescaped = point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    return { point: unescaped, type, options: [...options.split(','), ...superOptions.split(',')] };
  });
}

/** Version 1 if any of its hierarchies has a controller, which is then missing from version 2. */
export async function readCgroups(mounts: readonly MountFacts[]): Promise<CgroupFacts> {
  const legacy = mounts.filter(({ type }) => type === 'cgroup');
  const unified = mounts.find(({ type }) => type === 'cgroup2');
  const enabled = (await linesOf('/proc/cgroups')).flatMap((line) => {
    const [name = '', , , isEnabled] = line.split('\t');
    return isEnabled === '1' ? [name] : [];
  });
  const mounted = enabled.filter((controller) => legacy.some(({ options }) => options.includes(controller)));
  if (mounted.length > 0)
    return { version: 1, controllers: mounted, isReadOnly: legacy.some(({ options }) => options.slice(0, 1).includes('ro')) };
  if (unified === undefined) return { version: undefined, controllers: [], isReadOnly: false };
  const controllers = (await textOf(`${unified.point}/cgroup.controllers`)).split(' ').filter(Boolean);
  return { version: 2, controllers, isReadOnly: unified.options.includes('ro') };
}
