import type { Event } from '../../../types/events-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const events = defineResource<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Event', plural: 'events', shortNames: ['ev'] },
  definition: 'io.k8s.api.events.v1.Event',
  storagePrefix: 'events',
  storageVersion: { group: '', version: 'v1' },
  ttlSeconds: 3600,
  allowCreateOnUpdate: true,
});
