import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { findNames, linesOf, textOf } from './read-facts.ts';
import type { CgroupFacts, KernelFacts, MountFacts } from './surveyed-machine.ts';

export async function readKernel(): Promise<KernelFacts> {
  const modules = await readModules(release());
  const [fileSystems, namespaces, status, loadedModules, loaded, configuration, selinux] = await Promise.all([
    linesOf('/proc/filesystems'),
    findNames('/proc/self/ns'),
    textOf('/proc/self/status'),
    findNames('/sys/module'),
    textOf('/proc/modules'),
    // Large, and of no use where the modules themselves tell.
    modules === undefined ? readConfiguration(release()) : undefined,
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

async function readModules(kernel: string): Promise<KernelFacts['modules']> {
  for (const folder of ['/lib/modules', '/usr/lib/modules']) {
    const loadable = await linesOf(`${folder}/${kernel}/modules.dep`);
    const builtIn = await linesOf(`${folder}/${kernel}/modules.builtin`);
    if (loadable.length + builtIn.length > 0)
      return { builtIn: builtIn.map(moduleName), loadable: loadable.map((line) => moduleName(line.slice(0, line.indexOf(':')))) };
  }
  return undefined;
}

/** `kernel/net/bridge/br_netfilter.ko.xz` is br_netfilter; the kernel takes `-` and `_` for the same. */
function moduleName(file: string): string {
  return file
    .slice(file.lastIndexOf('/') + 1)
    .replace(/\.ko(\..+)?$/, '')
    .replaceAll('-', '_');
}

async function readConfiguration(kernel: string): Promise<KernelFacts['configuration']> {
  for (const file of [`/boot/config-${kernel}`, `/lib/modules/${kernel}/config`]) {
    const text = await textOf(file);
    if (text !== '') return parseConfiguration(text);
  }
  try {
    return parseConfiguration((await promisify(gunzip)(await readFile('/proc/config.gz'))).toString());
  } catch {
    return undefined; // the kernel does not tell
  }
}

function parseConfiguration(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(CONFIG_\w+)=([ym])$/gm)].map(([, name = '', value = '']) => [name, value]));
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

/** Version 1 where any of its hierarchies has a controller: what has taken a controller has taken it from version 2. */
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
