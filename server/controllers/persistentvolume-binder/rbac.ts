import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['persistentvolumes'], ['create', 'delete', 'get', 'list', 'update', 'watch']),
  rule([''], ['persistentvolumes/status'], ['update']),
  rule([''], ['persistentvolumeclaims'], ['get', 'list', 'update', 'watch']),
  rule([''], ['persistentvolumeclaims/status'], ['update']),
  rule([''], ['pods'], ['create', 'delete', 'get', 'list', 'watch']),
  rule(['storage.k8s.io'], ['storageclasses'], ['get', 'list', 'watch']),
  rule([''], ['nodes'], ['list', 'watch']),
  eventsRule,
  rule([''], ['events'], ['watch']),
];
