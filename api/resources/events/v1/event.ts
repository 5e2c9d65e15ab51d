import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { KubeObject } from '../../../meta/object.ts';
import type { Event as CoreEvent } from '../../../types/core-v1.ts';
import type { Event } from '../../../types/events-v1.ts';
import { type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { eventColumns } from '../../core/v1/events/event-columns.ts';
import { validateEvent, validateSeries } from '../../core/v1/events/event-validation.ts';

/** Names of the fields that differ: here, and in the core group, whose form is stored. */
const renamed = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['reportingController', 'reportingComponent'],
] as const;

function rename(object: object, names: readonly (readonly [from: string, to: string])[], apiVersion: string): unknown {
  const to = new Map<string, string>(names);
  const fields = Object.entries(object).map(([field, value]): [string, unknown] => [to.get(field) ?? field, value]);
  return { ...Object.fromEntries(fields), apiVersion, kind: 'Event' };
}

function toCore(event: DeepReadonly<Event>): CoreEvent {
  return rename(event, renamed, 'v1') as CoreEvent;
}

/** Events of the core group always have `reportingComponent` and `reportingInstance`, even if empty. */
function fromCore(object: KubeObject): Event {
  const { reportingComponent, reportingInstance, ...core } = object as CoreEvent;
  const reporter = { ...(reportingComponent ? { reportingComponent } : {}), ...(reportingInstance ? { reportingInstance } : {}) };
  const names = renamed.map(([here, name]) => [name, here] as const);
  return rename({ ...core, ...reporter }, names, 'events.k8s.io/v1') as Event;
}

/** An Event in the form of KEP-383: the action, the reason and the reporting controller are required. */
export const events = defineResource<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Event', plural: 'events', shortNames: ['ev'] },
  definition: 'io.k8s.api.events.v1.Event',
  storagePrefix: 'events',
  storageVersion: { group: '', version: 'v1' },
  convert: {
    fromStorage: fromCore,
    toStorage: toCore,
  },
  ttlSeconds: 3600,
  allowCreateOnUpdate: true,
  printerColumns: eventColumns<Event>(toCore),
  selectableFields: {
    'involvedObject.kind': ({ regarding }) => regarding?.kind ?? '',
    'involvedObject.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'involvedObject.name': ({ regarding }) => regarding?.name ?? '',
    'involvedObject.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  validate(event, path, { operation }) {
    const core = toCore(event);
    const errors = validateEvent(core, 'reportingController', path);
    return operation === 'create' ? [...errors, ...validateSeries(core, path), ...validateNewForm(core, path)] : errors;
  },
  validateUpdate(event, old, path) {
    const [now, before] = [toCore(event), toCore(old)];
    const fields = [
      'involvedObject',
      'reason',
      'message',
      'source',
      'firstTimestamp',
      'lastTimestamp',
      'count',
      'type',
      'eventTime',
      'action',
      'related',
      'reportingInstance',
    ] as const;
    return [
      ...validateSeries(now, path),
      ...fields.flatMap((field) => validateImmutable(path.child(field), now[field], before[field])),
      ...validateImmutable(path.child('reportingController'), now.reportingComponent, before.reportingComponent),
    ];
  },
});

function validateNewForm(event: DeepReadonly<CoreEvent>, path: FieldPath): FieldError[] {
  const errors = event.eventTime ? [] : [required(path.child('eventTime'))];
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(invalid(path.child('type'), '', `has invalid value: ${event.type ?? ''}`));
  for (const field of ['firstTimestamp', 'lastTimestamp'] as const)
    if (event[field]) errors.push(invalid(path.child(field), '', 'needs to be unset'));
  if (event.count) errors.push(invalid(path.child('count'), '', 'needs to be unset'));
  if (event.source?.component || event.source?.host) errors.push(invalid(path.child('source'), '', 'needs to be unset'));
  return errors;
}
