import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['persistentvolumes'], ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']),
  rule([''], ['persistentvolumeclaims'], ['get', 'list', 'patch', 'update', 'watch']),
  rule(['storage.k8s.io'], ['storageclasses'], ['get', 'list', 'watch']),
  rule([''], ['nodes'], ['get', 'list', 'watch']),
  rule([''], ['nodes/proxy'], ['delete', 'update']),
  eventsRule,
];
