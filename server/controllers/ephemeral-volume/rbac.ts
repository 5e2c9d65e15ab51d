import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['pods'], ['get', 'list', 'watch']),
  rule([''], ['pods/finalizers'], ['update']),
  rule([''], ['persistentvolumeclaims'], ['create', 'get', 'list', 'watch']),
  eventsRule,
];
