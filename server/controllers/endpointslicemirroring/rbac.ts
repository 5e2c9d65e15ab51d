import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['services', 'endpoints'], ['get', 'list', 'watch']),
  rule([''], ['services/finalizers'], ['update']),
  rule([''], ['endpoints/finalizers'], ['update']),
  rule(['discovery.k8s.io'], ['endpointslices'], ['get', 'list', 'watch', 'create', 'update', 'delete']),
  eventsRule,
];
