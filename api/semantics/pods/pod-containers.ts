import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Container, ContainerStatus, EphemeralContainer, Pod, PodSpec } from '../../types/core-v1.ts';

/** An init container that keeps running beside the main ones (KEP-753). */
export function isRestartableInitContainer(container: { readonly restartPolicy?: string }): boolean {
  return container.restartPolicy === 'Always';
}

/** Init, main and ephemeral containers, in the order in which they start. */
export function allContainers(spec: DeepReadonly<PodSpec> | undefined): DeepReadonly<Container | EphemeralContainer>[] {
  if (spec === undefined) return [];
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

export function findContainer(
  spec: DeepReadonly<PodSpec> | undefined,
  name: string,
): DeepReadonly<Container | EphemeralContainer> | undefined {
  return allContainers(spec).find((container) => container.name === name);
}

/** The status of a container of whatever sort. */
export function findContainerStatus(pod: DeepReadonly<Pod>, name: string): DeepReadonly<ContainerStatus> | undefined {
  const { status } = pod;
  for (const statuses of [status?.containerStatuses, status?.initContainerStatuses, status?.ephemeralContainerStatuses]) {
    const found = statuses?.find((candidate) => candidate.name === name);
    if (found) return found;
  }
  return undefined;
}

export type AnyContainer = DeepReadonly<Container | EphemeralContainer>;
