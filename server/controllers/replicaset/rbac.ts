import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule(['apps', 'extensions'], ['replicasets'], ['get', 'list', 'watch', 'update']),
  rule(['apps', 'extensions'], ['replicasets/status'], ['update']),
  rule(['apps', 'extensions'], ['replicasets/finalizers'], ['update']),
  rule([''], ['pods'], ['list', 'watch', 'patch', 'create', 'delete']),
  eventsRule,
];
