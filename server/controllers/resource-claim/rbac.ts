import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['pods'], ['get', 'list', 'watch']),
  rule([''], ['pods/finalizers'], ['update']),
  rule(['resource.k8s.io'], ['resourceclaimtemplates'], ['list', 'watch']),
  rule(['resource.k8s.io'], ['resourceclaims'], ['create', 'delete', 'get', 'list', 'watch']),
  rule(['resource.k8s.io'], ['resourceclaims', 'resourceclaims/status'], ['patch', 'update']),
  rule([''], ['pods/status'], ['patch', 'update']),
  eventsRule,
  rule(['resource.k8s.io'], ['resourceclaims/binding'], ['patch', 'update']),
];
