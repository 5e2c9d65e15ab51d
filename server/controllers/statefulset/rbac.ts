import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['pods'], ['list', 'watch']),
  rule(['apps'], ['statefulsets'], ['get', 'list', 'watch']),
  rule(['apps'], ['statefulsets/status'], ['update']),
  rule(['apps'], ['statefulsets/finalizers'], ['update']),
  rule([''], ['pods'], ['get', 'create', 'delete', 'update', 'patch']),
  rule(['apps'], ['controllerrevisions'], ['get', 'create', 'delete', 'update', 'patch', 'list', 'watch']),
  rule([''], ['persistentvolumeclaims'], ['get', 'create', 'list', 'watch']),
  rule([''], ['persistentvolumeclaims'], ['update', 'delete']),
  rule([''], ['pods/finalizers'], ['update']),
  eventsRule,
];
