import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';

interface ManifestFolderDependencies {
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly directory: string;
  readonly nodeName: string;
  /** All static Pods there are, after each change. */
  readonly onPods: (pods: readonly DeepReadonly<Pod>[]) => void;
}

/** Editors write a file in several steps. */
const settleMs = 100;
/** The interval at which files are read again where changes are not reported (or were lost). */
const lookMs = 20_000;

interface ReadFile {
  readonly text: string;
  readonly pod: Pod | undefined;
}

/** Reads Pods from the manifests of a folder, one per file. A file that cannot be read leaves out only its own Pod. */
export function createManifestFolder(dependencies: ManifestFolderDependencies) {
  const { files, clock, logger, directory, nodeName, onPods } = dependencies;
  let known = new Map<string, ReadFile>();
  const read = async (): Promise<void> => {
    const found = new Map<string, ReadFile>();
    for (const name of (await files.names(directory)).sort()) {
      if (name.startsWith('.')) continue;
      const file = `${directory}/${name}`;
      if ((await files.facts(file))?.kind !== 'file') continue;
      const text = await files.findText(file);
      if (text === undefined) continue; // gone meanwhile
      const before = known.get(file);
      found.set(file, before?.text === text ? before : { text, pod: await parse(text, file) });
    }
    const hasChanged = found.size !== known.size || [...found].some(([file, one]) => known.get(file) !== one);
    known = found;
    if (hasChanged) onPods([...found.values()].flatMap(({ pod }) => pod ?? []));
  };
  const parse = async (text: string, file: string): Promise<Pod | undefined> => {
    try {
      // Loaded on demand: it brings the whole schema of Pods, which nodes without manifests do not need.
      const { parseManifest } = await import('./parse-manifest.ts');
      return parseManifest(text, { file, nodeName, nowMs: clock.nowMs() });
    } catch (error) {
      logger.error('a manifest cannot be used', { file, error });
      return undefined;
    }
  };
  return {
    read,
    /** Follows changes until the signal is aborted. */
    async run(signal: AbortSignal): Promise<void> {
      let hasChanged = false;
      let wake = new AbortController();
      const follow = async () => {
        for await (const _name of files.changes(directory, signal)) {
          hasChanged = true;
          wake.abort();
        }
      };
      follow().catch((error: unknown) => logger.warn('changes of manifests are not told', { directory, error }));
      while (!signal.aborted) {
        if (!hasChanged) await sleep(clock, lookMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined); // aborted or woken
        hasChanged = false;
        wake = new AbortController();
        await sleep(clock, settleMs, signal).catch(() => undefined); // aborted
        if (signal.aborted) return;
        await read().catch((error: unknown) => logger.error('manifests cannot be read', { directory, error }));
      }
    },
  };
}
