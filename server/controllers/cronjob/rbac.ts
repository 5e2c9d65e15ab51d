import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule(['batch'], ['cronjobs'], ['get', 'list', 'watch', 'update']),
  rule(['batch'], ['jobs'], ['get', 'list', 'watch', 'create', 'update', 'delete', 'patch']),
  rule(['batch'], ['cronjobs/status'], ['update']),
  rule(['batch'], ['cronjobs/finalizers'], ['update']),
  rule([''], ['pods'], ['list', 'watch', 'delete']),
  eventsRule,
];
