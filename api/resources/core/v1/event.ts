import type { Event } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const events = defineResource<Event>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Event', plural: 'events', shortNames: ['ev'] },
  definition: 'io.k8s.api.core.v1.Event',
  storagePrefix: 'events',
  ttlSeconds: 3600,
  allowCreateOnUpdate: true,
});
