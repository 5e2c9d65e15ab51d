import type { EventRecorder } from '../../../api/client/events/event-recorder.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

/** Records events about one container, or about the Pod if no name is given. */
export interface ContainerEvents {
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export function containerEvents(recorder: EventRecorder, pod: DeepReadonly<Pod>, container?: string): ContainerEvents {
  const reference = referenceTo(pods, pod, container === undefined ? undefined : fieldPathOf(pod, container));
  return { event: (type, reason, message) => recorder.event(reference, type, reason, message) };
}

/** `spec.containers{name}`, by which `kubectl describe` shows the container of an event. */
function fieldPathOf({ spec }: DeepReadonly<Pod>, name: string): string {
  if (spec?.initContainers?.some((container) => container.name === name)) return `spec.initContainers{${name}}`;
  if (spec?.ephemeralContainers?.some((container) => container.name === name)) return `spec.ephemeralContainers{${name}}`;
  return `spec.containers{${name}}`;
}
