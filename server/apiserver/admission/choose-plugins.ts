import type { AdmissionPlugin } from './admission.ts';

/** Names of plugins, as --enable-admission-plugins and --disable-admission-plugins list them. */
export interface PluginChoice {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
}

interface PluginCatalog {
  /** All, in the order in which they run. */
  readonly all: readonly AdmissionPlugin[];
  readonly offByDefault: readonly AdmissionPlugin[];
}

/** The plugins that run, in their order. Throws, in upstream's words, for names that mean none or are in both lists. */
export function chooseAdmissionPlugins(
  { all, offByDefault }: PluginCatalog,
  { enable = [], disable = [] }: PluginChoice,
): AdmissionPlugin[] {
  const known = new Set(all.map(({ name }) => name));
  for (const [flag, names] of [
    ['enable', enable],
    ['disable', disable],
  ] as const) {
    const unknown = names.find((name) => !known.has(name));
    if (unknown !== undefined) throw new Error(`${flag}-admission-plugins plugin "${unknown}" is unknown`);
  }
  const both = enable.filter((name) => disable.includes(name));
  if (both.length > 0) throw new Error(`[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`);
  return all.filter((plugin) => !disable.includes(plugin.name) && (enable.includes(plugin.name) || !offByDefault.includes(plugin)));
}
