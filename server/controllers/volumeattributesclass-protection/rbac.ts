import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['persistentvolumeclaims'], ['get', 'list', 'watch']),
  rule([''], ['persistentvolumes'], ['get', 'list', 'watch']),
  rule(['storage.k8s.io'], ['volumeattributesclasses'], ['get', 'list', 'update', 'watch']),
  eventsRule,
];
