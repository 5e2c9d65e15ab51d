import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['replicationcontrollers'], ['get', 'list', 'watch', 'update']),
  rule([''], ['replicationcontrollers/status'], ['update']),
  rule([''], ['replicationcontrollers/finalizers'], ['update']),
  rule([''], ['pods'], ['list', 'watch', 'patch', 'create', 'delete']),
  eventsRule,
];
