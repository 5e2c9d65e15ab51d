import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['persistentvolumeclaims'], ['get', 'list', 'update', 'watch']),
  rule([''], ['persistentvolumeclaims/status'], ['update']),
  rule([''], ['pods'], ['get', 'list', 'watch']),
  eventsRule,
];
