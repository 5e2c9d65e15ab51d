import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule(['apps', 'extensions'], ['deployments'], ['get', 'list', 'watch']),
  rule(['apps', 'extensions'], ['replicasets'], ['get', 'list', 'watch']),
  rule([''], ['replicationcontrollers'], ['get', 'list', 'watch']),
  rule(['policy'], ['poddisruptionbudgets'], ['get', 'list', 'watch']),
  rule(['apps'], ['statefulsets'], ['get', 'list', 'watch']),
  rule(['policy'], ['poddisruptionbudgets/status'], ['update']),
  rule([''], ['pods/status'], ['patch', 'update']),
  rule(['*'], ['*/scale'], ['get']),
  rule([''], ['pods'], ['list', 'watch']),
  eventsRule,
];
