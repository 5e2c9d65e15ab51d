import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';

interface RotateLogsDependencies {
  readonly runtime: ContainerRuntime;
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly podLogs: string;
}

const checkMs = 10_000;
const maxBytes = 10 * 1024 * 1024;
/** The most log files of one container, the current one included. */
const maxFiles = 5;

/** Keeps container logs from filling the disk: a log of more than 10 MiB is rotated, and the oldest file is removed. */
export async function rotateLogs(dependencies: RotateLogsDependencies, signal: AbortSignal): Promise<void> {
  const { clock, runtime, logger } = dependencies;
  // The path of a container's log never changes; asking for it each time is most of the work of an idle node.
  let paths: ReadonlyMap<string, string> = new Map();
  while (!signal.aborted) {
    await sleep(clock, checkMs, signal).catch(() => undefined); // aborted
    if (signal.aborted) return;
    try {
      const running = new Map<string, string>();
      for (const { id, state } of await runtime.listContainers()) {
        if (state !== 'CONTAINER_RUNNING') continue;
        const path = paths.get(id) ?? (await runtime.containerStatus(id)).log_path;
        running.set(id, path);
        await rotateLog(dependencies, id, path);
      }
      paths = running;
    } catch (error) {
      logger.warn('container logs could not be rotated', { error });
    }
  }
}

async function rotateLog({ runtime, files, clock, podLogs }: RotateLogsDependencies, id: string, path: string): Promise<void> {
  if (!path.startsWith(`${podLogs}/`)) return;
  const facts = await files.facts(path, { followLinks: false });
  // Behind a link is a log that the runtime keeps, and rotates, by itself.
  if (facts === undefined || facts.kind === 'symlink' || facts.sizeBytes < maxBytes) return;
  const slash = path.lastIndexOf('/');
  const [directory, name] = [path.slice(0, slash), path.slice(slash + 1)];
  // Numbered by time, so that the order of names is that of age.
  await files.rename(path, `${path}.${String(clock.nowMs()).padStart(15, '0')}`);
  await runtime.reopenContainerLog(id);
  const old = (await files.names(directory)).filter((other) => other.startsWith(`${name}.`)).sort();
  for (const other of old.slice(0, Math.max(0, old.length - (maxFiles - 1)))) await files.remove(`${directory}/${other}`);
}
