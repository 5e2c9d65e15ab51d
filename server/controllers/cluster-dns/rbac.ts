import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['nodes'], ['get', 'list', 'watch']),
  rule([''], ['services'], ['get', 'list', 'watch', 'create']),
  rule([''], ['services/finalizers'], ['update']),
  rule(['discovery.k8s.io'], ['endpointslices'], ['get', 'list', 'watch', 'create', 'update', 'delete']),
  eventsRule,
];
