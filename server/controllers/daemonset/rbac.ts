import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule(['apps', 'extensions'], ['daemonsets'], ['get', 'list', 'watch']),
  rule(['apps', 'extensions'], ['daemonsets/status'], ['update']),
  rule(['apps', 'extensions'], ['daemonsets/finalizers'], ['update']),
  rule([''], ['nodes'], ['list', 'watch']),
  rule([''], ['pods'], ['list', 'watch', 'create', 'delete', 'patch']),
  rule([''], ['pods/binding'], ['create']),
  rule(['apps'], ['controllerrevisions'], ['get', 'list', 'watch', 'create', 'delete', 'update', 'patch']),
  eventsRule,
];
