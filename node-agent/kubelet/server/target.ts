import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import { activeSandbox, instancesOf, isRunning, readRuntimePod, type RuntimeContainer } from '../runtime/runtime-pod.ts';
import { HTTPProblem } from './http-problem.ts';

export interface TargetDependencies {
  readonly workers: PodWorkers;
  readonly runtime: ContainerRuntime;
}

/** The Pod that a path means. Throws HTTPProblem. */
export function findTargetPod({ workers }: TargetDependencies, namespace: string, name: string, uid = ''): DeepReadonly<Pod> {
  const pod = workers.findByName(namespace, name)?.pod();
  if (!pod || (uid !== '' && pod.metadata.uid !== uid)) throw new HTTPProblem(404, 'pod does not exist');
  return pod;
}

/** All instances of a container of the Pod, newest first. Throws HTTPProblem. */
export async function targetInstances(
  { runtime }: TargetDependencies,
  pod: DeepReadonly<Pod>,
  container: string,
): Promise<RuntimeContainer[]> {
  if (!findContainer(pod.spec, container)) {
    throw new HTTPProblem(404, `container "${container}" not found in pod "${pod.metadata.name}"`);
  }
  return instancesOf(await readRuntimePod(runtime, pod.metadata.uid ?? ''), container);
}

/** The running instance of a container. Throws HTTPProblem. */
export async function runningInstance(
  dependencies: TargetDependencies,
  pod: DeepReadonly<Pod>,
  container: string,
): Promise<RuntimeContainer> {
  const found = (await targetInstances(dependencies, pod, container)).find(isRunning);
  if (!found) throw new HTTPProblem(404, `container not found ("${container}")`);
  return found;
}

/** The Pod's sandbox. Throws HTTPProblem. */
export async function targetSandbox({ runtime }: TargetDependencies, pod: DeepReadonly<Pod>): Promise<string> {
  const sandbox = activeSandbox(await readRuntimePod(runtime, pod.metadata.uid ?? ''));
  if (!sandbox) throw new HTTPProblem(404, `pod not found ("${pod.metadata.uid}")`);
  return sandbox.id;
}
