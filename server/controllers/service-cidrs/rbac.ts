import { eventsRule, rule } from '../runtime/rules.ts';

const group = ['networking.k8s.io'];

export const rules = [
  rule(group, ['servicecidrs'], ['get', 'list', 'patch', 'update', 'watch']),
  rule(group, ['servicecidrs/finalizers'], ['patch', 'update']),
  rule(group, ['servicecidrs/status'], ['patch', 'update']),
  rule(group, ['ipaddresses'], ['get', 'list', 'watch']),
  eventsRule,
];
