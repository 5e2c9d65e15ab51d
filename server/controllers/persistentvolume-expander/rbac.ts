import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['persistentvolumes'], ['get', 'list', 'patch', 'update', 'watch']),
  rule([''], ['persistentvolumeclaims/status'], ['patch', 'update']),
  rule([''], ['persistentvolumeclaims'], ['get', 'list', 'watch']),
  eventsRule,
];
