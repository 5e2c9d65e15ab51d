import { isCRINotFound } from '../../cri/cri-error.ts';
import type { ContainerStatus, SandboxStatus } from '../../cri/messages.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { runtimeLabels } from './labels.ts';

export interface RuntimeContainer extends ContainerStatus {
  readonly sandboxID: string;
}

/** The runtime's state of a Pod at one moment, which all decisions are based on. */
export interface RuntimePod {
  readonly uid: string;
  /** `containerd`, `cri-o`, ... */
  readonly runtimeName: string;
  /** Newest first. */
  readonly sandboxes: readonly SandboxStatus[];
  /** Newest first, of all sandboxes and all names. */
  readonly containers: readonly RuntimeContainer[];
}

/** Undefined for a container that vanished between the list and the request. */
async function unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isCRINotFound(error)) return undefined;
    throw error;
  }
}

export async function readRuntimePod(runtime: ContainerRuntime, uid: string): Promise<RuntimePod> {
  const labels = { [runtimeLabels.podUID]: uid };
  const [runtimeName, sandboxes, containers] = await Promise.all([
    runtime.name(),
    runtime.listPodSandboxes(labels),
    runtime.listContainers(labels),
  ]);
  const [sandboxStatuses, containerStatuses] = await Promise.all([
    Promise.all(sandboxes.map(({ id }) => unlessGone(runtime.podSandboxStatus(id)))),
    Promise.all(
      containers.map(async ({ id, pod_sandbox_id }) => {
        const status = await unlessGone(runtime.containerStatus(id));
        return status && { ...status, sandboxID: pod_sandbox_id };
      }),
    ),
  ]);
  return {
    uid,
    runtimeName,
    sandboxes: sandboxStatuses.filter((status) => status !== undefined).sort(newestFirst),
    containers: containerStatuses.filter((status) => status !== undefined).sort(newestFirst),
  };
}

/** A text of the parts and their states, which changes with them. */
export function printOf({ sandboxes, containers }: { readonly sandboxes: readonly Part[]; readonly containers: readonly Part[] }): string {
  return [...sandboxes, ...containers]
    .map(({ id, state }) => `${id} ${state}`)
    .sort()
    .join();
}

interface Part {
  readonly id: string;
  readonly state: string;
}

function newestFirst(a: { readonly created_at: string }, b: { readonly created_at: string }): number {
  return BigInt(a.created_at) < BigInt(b.created_at) ? 1 : -1;
}

/** The sandbox that containers run in: the newest, if it is up. */
export function activeSandbox(runtimePod: RuntimePod): SandboxStatus | undefined {
  const newest = runtimePod.sandboxes[0];
  return newest?.state === 'SANDBOX_READY' ? newest : undefined;
}

/** All instances of a container, newest first. */
export function instancesOf(runtimePod: RuntimePod, name: string): RuntimeContainer[] {
  return runtimePod.containers.filter((container) => container.metadata.name === name);
}

/** The newest instance of a container within the newest sandbox. */
export function currentInstance(runtimePod: RuntimePod, name: string): RuntimeContainer | undefined {
  const sandboxID = runtimePod.sandboxes[0]?.id;
  return runtimePod.containers.find((container) => container.metadata.name === name && container.sandboxID === sandboxID);
}

/** A container's id as statuses show it. */
export function containerIDOf({ runtimeName }: Pick<RuntimePod, 'runtimeName'>, id: string): string {
  return `${runtimeName}://${id}`;
}

export function isRunning(container: { readonly state: string } | undefined): boolean {
  return container?.state === 'CONTAINER_RUNNING';
}

/** Milliseconds since the Unix epoch of a time of the runtime. */
export function nanosToMs(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1_000_000n);
}

export function restartCountOf(container: { readonly annotations: Readonly<Record<string, string>> }): number {
  return Number(container.annotations['io.kubernetes.container.restartCount'] ?? 0) || 0;
}
