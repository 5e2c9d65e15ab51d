import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['secrets'], ['delete', 'get', 'list', 'update', 'watch']),
  rule([''], ['serviceaccounts'], ['get', 'list', 'watch']),
  eventsRule,
];
