import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['nodes'], ['get', 'list', 'watch', 'update', 'delete', 'patch']),
  rule([''], ['nodes/status'], ['patch', 'update']),
  rule([''], ['pods/status'], ['patch', 'update']),
  rule([''], ['pods'], ['list', 'watch', 'get', 'delete']),
  rule(['coordination.k8s.io'], ['leases'], ['list', 'watch']),
  eventsRule,
];
