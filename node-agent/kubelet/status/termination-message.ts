import type { HostFiles } from '../../linux/files/host-files.ts';
import { type NodePaths, podLogDirectory } from '../../node-paths.ts';
import { runtimeAnnotations } from '../runtime/labels.ts';
import { type RuntimeContainer, restartCountOf } from '../runtime/runtime-pod.ts';
import { parseLogLine } from '../containers/log-line.ts';
import { terminationMessageFile } from '../volumes/container-mounts.ts';

const maxMessageBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;

interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The termination message of a container: the content of its message file, or the end of its log if its policy says so and it failed. */
export async function readTerminationMessage(
  files: HostFiles,
  paths: NodePaths,
  pod: PodIdentity,
  container: RuntimeContainer,
): Promise<string> {
  const { name } = container.metadata;
  const restartCount = restartCountOf(container);
  const written = await readEnd(files, terminationMessageFile(paths, pod.uid, name, restartCount), maxMessageBytes);
  if (written !== '') return written;
  const fallsBack = container.annotations[runtimeAnnotations.terminationMessagePolicy] === 'FallbackToLogsOnError';
  if (!fallsBack || container.exit_code === 0) return '';
  // Every line of the log carries a time and a stream besides its text.
  const log = await readEnd(files, `${podLogDirectory(paths, pod)}/${name}/${restartCount}.log`, maxLogBytes + maxLogLines * 50);
  const lines = log.split('\n').flatMap((line) => parseLogLine(line) ?? []);
  const text = lines.slice(-maxLogLines).map(({ content, isPartial }) => content + (isPartial ? '' : '\n'));
  return text.join('').slice(-maxLogBytes);
}

async function readEnd(files: HostFiles, path: string, maxBytes: number): Promise<string> {
  if ((await files.facts(path)) === undefined) return '';
  const file = await files.open(path);
  try {
    const size = await file.sizeBytes();
    const start = Math.max(0, size - maxBytes);
    return Buffer.from(await file.read(start, Math.min(size, maxBytes))).toString();
  } finally {
    await file.close();
  }
}
