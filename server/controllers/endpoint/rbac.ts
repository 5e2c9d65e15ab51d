import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['services', 'pods'], ['get', 'list', 'watch']),
  rule([''], ['endpoints'], ['get', 'list', 'watch', 'create', 'update', 'delete']),
  rule([''], ['endpoints/restricted'], ['create']),
  eventsRule,
];
