import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { KernelAccess } from './kernel-access.ts';
import { isSatisfied, type KernelNeeds, moduleProblem, type ModuleNeed, settingProblem, type SettingNeed } from './kernel-needs.ts';

interface KernelReadinessDependencies {
  readonly needs: KernelNeeds;
  readonly kernel: KernelAccess;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when the problems have become others. */
  readonly onChange: () => void;
}

/** The kernel's modules and settings, made as the node needs them and kept so. */
export interface KernelReadiness {
  /** Loads the modules that are missing and makes the settings that differ. Never rejects: see `problems`. */
  ensure(): Promise<void>;
  /** Missing parts without which the node cannot run Pods, in the words of the Ready condition. */
  problems(): readonly string[];
  /** Ensures again and again until the signal is aborted: modules are unloaded and settings changed by others. */
  run(signal: AbortSignal): Promise<void>;
}

const checkMs = 10_000;
/**
 * The interval between attempts to load a module that could not be loaded. A module loaded by another program is seen at the next check.
 */
const loadAgainMs = 60_000;

interface Finding {
  readonly text: string;
  readonly isRequired: boolean;
}

export function createKernelReadiness(dependencies: KernelReadinessDependencies): KernelReadiness {
  const { needs, kernel, clock, logger } = dependencies;
  const loader = createModuleLoader(kernel, clock, logger);
  let findings: readonly Finding[] = [];
  let isFirst = true;
  const problems = () => findings.flatMap(({ text, isRequired }) => (isRequired ? text : []));
  const ensure = async () => {
    const found: Finding[] = [];
    const missing = new Set<string>();
    for (const module of needs.modules) {
      const reason = await loader.ensure(module);
      if (reason === undefined) continue;
      missing.add(module.name);
      found.push({ text: moduleProblem(module, reason), isRequired: module.consequence !== undefined });
    }
    for (const setting of needs.settings) {
      if (setting.module !== undefined && missing.has(setting.module)) continue;
      if (setting.file === forwardingIPv6 && (isFirst || !(await hasValue(kernel, setting))))
        await keepRouterAdvertisements(kernel, logger);
      const reason = await ensureSetting(setting, isFirst, kernel, logger);
      if (reason !== undefined) found.push({ text: settingProblem(setting, reason), isRequired: setting.consequence !== undefined });
    }
    isFirst = false;
    const before = new Set(findings.map(({ text }) => text));
    for (const { text } of found) if (!before.has(text)) logger.warn(text);
    const hadProblems = problems().join();
    findings = found;
    if (problems().join() !== hadProblems) dependencies.onChange();
  };
  return {
    ensure,
    problems,
    async run(signal) {
      while (!signal.aborted) {
        await sleep(clock, checkMs, signal).catch(() => undefined); // aborted
        if (!signal.aborted) await ensure();
      }
    },
  };
}

interface ModuleLoader {
  /** Why the module is still missing; undefined: it is there. */
  ensure(module: ModuleNeed): Promise<string | undefined>;
}

function createModuleLoader(kernel: KernelAccess, clock: Clock, logger: Logger): ModuleLoader {
  const failures = new Map<string, { readonly atMs: number; readonly reason: string }>();
  return {
    async ensure(module) {
      const { name } = module;
      const last = failures.get(name);
      if (await isPresent(kernel, module)) {
        failures.delete(name);
        return undefined;
      }
      if (last && clock.monotonicMs() - last.atMs < loadAgainMs) return last.reason;
      let reason = 'the kernel has it in another form, or hides it from here';
      try {
        await kernel.loadModule(name);
        if (await isPresent(kernel, module)) {
          failures.delete(name);
          logger.info('loaded a kernel module', { module: name });
          return undefined;
        }
      } catch (error) {
        reason = firstLine(error);
      }
      failures.set(name, { atMs: clock.monotonicMs(), reason });
      return reason;
    },
  };
}

async function isPresent(kernel: KernelAccess, { evidence: { file, word } }: ModuleNeed): Promise<boolean> {
  if (word === undefined) return kernel.exists(file);
  const lines = ((await kernel.read(file)) ?? '').split('\n');
  return lines.some((line) => line.split(/\s+/).at(-1) === word);
}

/** Why the setting is not as it has to be; undefined: it is. */
async function ensureSetting(setting: SettingNeed, isFirst: boolean, kernel: KernelAccess, logger: Logger): Promise<string | undefined> {
  const file = `/proc/sys/${setting.file}`;
  const present = await kernel.read(file);
  if (present === undefined) return 'the kernel has no such setting';
  if (isSatisfied(setting, present)) return undefined;
  try {
    await kernel.write(file, String(setting.value));
  } catch (error) {
    return `it is ${present.trim()} and cannot be written: ${firstLine(error)}`;
  }
  const { value } = setting;
  if (!isFirst) logger.warn('made a kernel setting again', { setting: setting.file.replaceAll('/', '.'), was: present.trim(), value });
  return undefined;
}

async function hasValue(kernel: KernelAccess, setting: SettingNeed): Promise<boolean> {
  return isSatisfied(setting, (await kernel.read(`/proc/sys/${setting.file}`)) ?? '');
}

function firstLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.slice(0, 300);
}

const forwardingIPv6 = 'net/ipv6/conf/all/forwarding';

/**
 * Lets interfaces accept router advertisements although the machine forwards packets. It comes before forwarding is switched on, with which
 * the kernel would drop the default routes from advertisements.
 */
async function keepRouterAdvertisements(kernel: KernelAccess, logger: Logger): Promise<void> {
  const folder = '/proc/sys/net/ipv6/conf';
  for (const name of await kernel.names(folder)) {
    if (name === 'all' || name === 'default') continue;
    const file = `${folder}/${name}/accept_ra`;
    if ((await kernel.read(file))?.trim() !== '1') continue;
    await kernel.write(file, '2').catch((error: unknown) => logger.warn('kernel setting cannot be made', { setting: file, error }));
  }
}
