import { type Clock, sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { StatusError, hasReason } from '../../meta/status.ts';
import { formatTime } from '../../meta/time.ts';
import { apiVersionOf, type ResourceDefinition } from '../../resource/resource-definition.ts';
import { events } from '../../resources/core/v1/event.ts';
import type { ObjectReference } from '../../types/core-v1.ts';
import type { Client } from '../client.ts';
import { createEventCorrelator, type EventCorrelator } from './event-correlator.ts';
import type { CoreEvent } from './core-event.ts';

/** Records Events about objects: what was done and why. Never fails and never makes the caller wait. */
export interface EventRecorder {
  event(regarding: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

interface EventRecorderSettings {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The reporting component, e.g. `deployment-controller`, `kubelet`. */
  readonly component: string;
  /** The node, for a component that runs on every node. */
  readonly host?: string;
  /** Ends the writing; events that were not written by then are lost. */
  readonly signal?: AbortSignal;
}

const maxQueued = 1000;
const attempts = 12;
const pauseMs = 10_000;

export function createEventRecorder(settings: EventRecorderSettings): EventRecorder {
  const { clock, logger, component, host = '' } = settings;
  const correlator = createEventCorrelator();
  const queue: CoreEvent[] = [];
  let isWriting = false;
  let lastMs = 0;
  let sameMs = 0;
  // The time to the nanosecond as part of the name; a counter distinguishes events of one millisecond.
  const uniqueSuffix = (nowMs: number) => {
    sameMs = nowMs === lastMs ? sameMs + 1 : 0;
    lastMs = nowMs;
    return (BigInt(nowMs) * 1_000_000n + BigInt(sameMs)).toString(16);
  };
  const writeAll = async () => {
    for (let event = queue.shift(); event !== undefined && !settings.signal?.aborted; event = queue.shift()) {
      await write(settings, correlator, event);
    }
  };
  return {
    event(regarding, type, reason, message) {
      if (settings.signal?.aborted) return;
      if (queue.length >= maxQueued) return logger.warn('too many events are waiting, one is dropped', { reason, message });
      const nowMs = clock.nowMs();
      queue.push({
        metadata: { name: `${regarding.name ?? ''}.${uniqueSuffix(nowMs)}`, namespace: regarding.namespace || 'default' },
        involvedObject: regarding,
        reason,
        message: message.length > 1024 ? `${message.slice(0, 1021)}...` : message,
        source: { component, ...(host === '' ? {} : { host }) },
        firstTimestamp: formatTime(nowMs),
        lastTimestamp: formatTime(nowMs),
        count: 1,
        type,
        reportingComponent: component,
        reportingInstance: host,
      });
      if (isWriting) return;
      isWriting = true;
      void writeAll().finally(() => {
        isWriting = false;
      });
    },
  };
}

/** Writes one event. An event that the server refuses is logged and dropped; one that could not be sent is tried again. */
async function write(settings: EventRecorderSettings, correlator: EventCorrelator, event: CoreEvent): Promise<void> {
  const { clock, logger } = settings;
  const correlated = correlator.correlate(event, clock.nowMs());
  if (correlated.kind === 'dropped') return;
  for (let attempt = 1; !settings.signal?.aborted; attempt++) {
    try {
      return await send(settings, correlator, correlated);
    } catch (error) {
      const isRefused = error instanceof StatusError && error.code < 500 && error.code !== 429;
      if (isRefused || attempt >= attempts) return logger.debug('an event could not be written', { error, reason: event.reason });
      // Aborted: nothing more to do.
      await sleep(clock, pauseMs, settings.signal).catch(() => undefined);
    }
  }
}

async function send(
  { client, signal }: EventRecorderSettings,
  correlator: EventCorrelator,
  correlated: Exclude<ReturnType<EventCorrelator['correlate']>, { kind: 'dropped' }>,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const { event } = correlated;
  const name = event.metadata.name ?? '';
  if (correlated.kind === 'repeat') {
    const body = { count: correlated.count, lastTimestamp: event.lastTimestamp, message: event.message };
    try {
      await client(events).patch({ namespace: event.metadata.namespace ?? '', name }, { type: 'strategic', body }, options);
      return;
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      correlator.remember(event, undefined);
    }
  }
  const { resourceVersion: _old, ...metadata } = event.metadata;
  await client(events).create({ ...event, metadata }, options);
  correlator.remember(event, name);
}

/** The ObjectReference of an event to its object. */
export function referenceTo(
  resource: Pick<ResourceDefinition, 'group' | 'version' | 'names'>,
  object: {
    readonly metadata: {
      readonly name?: string;
      readonly namespace?: string;
      readonly uid?: string;
      readonly resourceVersion?: string;
    };
  },
  fieldPath?: string,
): ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    kind: resource.names.kind,
    ...(namespace ? { namespace } : {}),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    apiVersion: apiVersionOf(resource),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}
