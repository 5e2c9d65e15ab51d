import { eventsRule, rule } from '../runtime/rules.ts';

const group = ['admissionregistration.k8s.io'];

export const rules = [
  rule(group, ['validatingadmissionpolicies'], ['get', 'list', 'watch']),
  rule(group, ['validatingadmissionpolicies/status'], ['get', 'patch', 'update']),
  eventsRule,
];
