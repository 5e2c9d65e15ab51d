import type { KernelFacts } from '../linux/survey/surveyed-machine.ts';

/** A part of the kernel that may be built in or a module. */
export interface KernelFeature {
  readonly module: string;
  /** The option of the kernel's configuration that makes it. */
  readonly option: string;
  readonly purpose: string;
}

/**
 * `unknown`: nothing tells whether the kernel has it. `unreachable`: it is a module, and the running kernel's modules are not
 * on the disk; `doubtful`: it is one if it is like the kernel's other parts.
 */
type FeatureState = 'present' | 'loadable' | 'missing' | 'unreachable' | 'doubtful' | 'unknown';

/** `isSeen`: whether the kernel shows by itself that it has the feature now. */
export function stateOf({ module, option }: KernelFeature, kernel: KernelFacts, isSeen: boolean): FeatureState {
  if (isSeen || kernel.loadedModules.includes(module)) return 'present';
  const value = kernel.configuration?.[option];
  if (value === 'y' || kernel.modules?.builtIn.includes(module)) return 'present';
  if (kernel.modules?.loadable.includes(module)) return 'loadable';
  if (kernel.configuration !== undefined && value === undefined) return 'missing';
  if (kernel.modules !== undefined) return 'missing';
  if (value === 'm') return 'unreachable';
  return kernel.isModular ? 'doubtful' : 'unknown';
}

/** A version as numbers: `6.12.3+deb13` is [6, 12, 3]. */
export function versionNumbers(text: string): number[] {
  return (/(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(text)?.slice(1) ?? []).map((part) => Number(part ?? 0));
}

export function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [index, wanted] of than.entries()) {
    const has = version[index] ?? 0;
    if (has !== wanted) return has < wanted;
  }
  return false;
}
