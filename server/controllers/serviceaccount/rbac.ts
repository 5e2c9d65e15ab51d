import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['serviceaccounts'], ['create', 'list', 'watch']),
  rule([''], ['namespaces'], ['list', 'watch']),
  eventsRule,
];
