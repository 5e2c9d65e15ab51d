import { defineResource } from '../../../resource/define-resource.ts';
import type { Event } from '../../../types/core-v1.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';
import { eventColumns } from './events/event-columns.ts';
import { validateEvent } from './events/event-validation.ts';

/** A report of an occurrence at an object, kept for an hour. */
export const events = defineResource<Event>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Event', plural: 'events', shortNames: ['ev'] },
  definition: 'io.k8s.api.core.v1.Event',
  storagePrefix: 'events',
  ttlSeconds: 3600,
  // Writers of old make names of anything.
  nameRule: nameIsPathSegment,
  allowCreateOnUpdate: true,
  printerColumns: eventColumns<Event>((event) => event),
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
    type: ({ type }) => type ?? '',
  },
  validate: (event, path) => validateEvent(event, 'reportingComponent', path),
});
