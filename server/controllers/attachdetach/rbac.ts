import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['persistentvolumeclaims', 'persistentvolumes'], ['list', 'watch']),
  rule([''], ['nodes'], ['get', 'list', 'watch']),
  rule([''], ['nodes/status'], ['patch', 'update']),
  rule([''], ['pods'], ['list', 'watch']),
  eventsRule,
  rule(['storage.k8s.io'], ['volumeattachments'], ['create', 'delete', 'get', 'list', 'watch']),
  rule(['storage.k8s.io'], ['csidrivers'], ['get', 'list', 'watch']),
  rule(['storage.k8s.io'], ['csinodes'], ['get', 'list', 'watch']),
];
