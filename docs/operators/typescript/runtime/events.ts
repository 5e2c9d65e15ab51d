import { type EventsV1Api, type KubernetesObject, V1MicroTime } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import { messageOf } from './api-error.ts';
import { log } from './log.ts';

interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** One word, for programs. */
  readonly reason: string;
  /** One word for the work that was done. */
  readonly action: string;
  readonly note: string;
}

/** Writes an Event about an object, as `kubectl describe` shows it. */
export type Recorder = (object: KubernetesObject, text: EventText) => Promise<void>;

export function createRecorder(events: EventsV1Api, controller: string, instance: string): Recorder {
  return async ({ apiVersion, kind, metadata = {} }, { type, reason, action, note }) => {
    const { name = '', namespace = '', uid = '', resourceVersion = '' } = metadata;
    const body = {
      metadata: { name: `${name}.${randomUUID().slice(0, 13)}`, namespace },
      eventTime: new V1MicroTime(),
      type,
      reason,
      action,
      note: note.slice(0, 1024),
      reportingController: controller,
      reportingInstance: instance,
      regarding: { apiVersion: apiVersion ?? '', kind: kind ?? '', name, namespace, uid, resourceVersion },
    };
    // An Event is only told: where its namespace is being deleted, it cannot be created, and nothing is lost.
    await events.createNamespacedEvent({ namespace, body }).catch((error: unknown) => log('no event', { reason, error: messageOf(error) }));
  };
}
