import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule(['batch'], ['jobs'], ['get', 'list', 'watch', 'update', 'patch']),
  rule(['batch'], ['jobs/status'], ['update']),
  rule(['batch'], ['jobs/finalizers'], ['update']),
  rule([''], ['pods'], ['list', 'watch', 'create', 'delete', 'patch']),
  eventsRule,
];
