import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule(['apps', 'extensions'], ['deployments'], ['get', 'list', 'watch', 'update']),
  rule(['apps', 'extensions'], ['deployments/status'], ['update']),
  rule(['apps', 'extensions'], ['deployments/finalizers'], ['update']),
  rule(['apps', 'extensions'], ['replicasets'], ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']),
  rule([''], ['pods'], ['get', 'list', 'watch', 'update']),
  eventsRule,
];
