import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['services', 'pods', 'nodes'], ['get', 'list', 'watch']),
  rule([''], ['services/finalizers'], ['update']),
  rule(['discovery.k8s.io'], ['endpointslices'], ['get', 'list', 'watch', 'create', 'update', 'delete']),
  eventsRule,
];
