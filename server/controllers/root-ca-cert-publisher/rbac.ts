import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['configmaps'], ['create', 'list', 'update', 'watch']),
  rule([''], ['namespaces'], ['list', 'watch']),
  eventsRule,
];
