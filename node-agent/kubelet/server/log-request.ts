import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { isRunning, type RuntimeContainer, restartCountOf } from '../runtime/runtime-pod.ts';
import { type NodePaths, podLogDirectory } from '../../node-paths.ts';
import { type LogOptions, readContainerLog } from './container-log.ts';
import { HTTPProblem } from './http-problem.ts';
import { findTargetPod, type TargetDependencies, targetInstances } from './target.ts';

export interface LogRequestDependencies extends TargetDependencies {
  readonly files: HostFiles;
  readonly paths: NodePaths;
  readonly clock: Clock;
}

/** GET /containerLogs/{namespace}/{pod}/{container}: checks everything first, so that problems still have a status code. */
export async function openContainerLog(
  dependencies: LogRequestDependencies,
  [namespace = '', podName = '', container = '']: readonly string[],
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { files, paths, clock, runtime } = dependencies;
  const options = logOptions(query, clock.nowMs());
  const pod = findTargetPod(dependencies, namespace, podName);
  const instances = await targetInstances(dependencies, pod, container);
  const instance = choose(pod, container, instances, query.get('previous') === 'true');
  const directory = podLogDirectory(paths, { namespace, name: podName, uid: pod.metadata.uid ?? '' });
  const path = `${directory}/${container}/${restartCountOf(instance)}.log`;
  if ((await files.facts(path)) === undefined) {
    throw new HTTPProblem(500, `failed to try resolving symlinks in path "${path}": lstat ${path}: no such file or directory`);
  }
  const stillRuns = async () => {
    try {
      return isRunning(await runtime.containerStatus(instance.id));
    } catch {
      return false; // removed meanwhile
    }
  };
  return readContainerLog({ files, path, isRunning: stillRuns, clock, signal }, options);
}

function logOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const number = (name: string, least: number): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) throw new HTTPProblem(400, `invalid ${name}: "${text}"`);
    return value;
  };
  const sinceSeconds = number('sinceSeconds', 1);
  const sinceTime = query.get('sinceTime') || undefined;
  const since = sinceTime === undefined ? undefined : findTime(sinceTime);
  if (sinceTime !== undefined && since === undefined) throw new HTTPProblem(400, `invalid sinceTime: "${sinceTime}"`);
  const stream = query.get('stream') || 'All';
  if (stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr') throw new HTTPProblem(400, `invalid stream: "${stream}"`);
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tailLines: number('tailLines', 0),
    limitBytes: number('limitBytes', 1),
    sinceMs: sinceSeconds === undefined ? since : nowMs - sinceSeconds * 1000,
    stream,
  };
}

/** The instance whose log is meant, or why there is none, in the words that `kubectl logs` shows. */
function choose(pod: DeepReadonly<Pod>, container: string, instances: readonly RuntimeContainer[], previous: boolean): RuntimeContainer {
  const quoted = `container "${container}" in pod "${pod.metadata.name}"`;
  const [newest, before] = instances;
  if (previous) {
    const ended = newest && !isRunning(newest) && newest.state === 'CONTAINER_EXITED' && instances.length === 1 ? undefined : before;
    const waitsForRestart =
      newest && !isRunning(newest) && pod.status?.containerStatuses?.some(({ name, state }) => name === container && state?.waiting);
    const chosen = waitsForRestart ? newest : ended;
    if (!chosen) throw new HTTPProblem(400, `previous terminated container "${container}" in pod "${pod.metadata.name}" not found`);
    return chosen;
  }
  if (newest && newest.state !== 'CONTAINER_CREATED') return newest;
  const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    ({ name }) => name === container,
  );
  const waiting = status?.state?.waiting;
  if (/^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName)$/.test(waiting?.reason ?? '')) {
    throw new HTTPProblem(
      400,
      `${quoted} is waiting to start: ${waiting?.reason === 'ErrImageNeverPull' ? 'image pull is not allowed' : 'trying and failing to pull image'}`,
    );
  }
  throw new HTTPProblem(400, `${quoted} is waiting to start: ${waiting?.reason ?? 'ContainerCreating'}`);
}
