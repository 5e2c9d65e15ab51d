import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [
  rule(['autoscaling'], ['horizontalpodautoscalers'], ['get', 'list', 'watch']),
  rule(['autoscaling'], ['horizontalpodautoscalers/status'], ['update']),
  rule(['*'], ['*/scale'], ['get', 'update']),
  rule([''], ['pods'], ['list', 'watch']),
  rule(['metrics.k8s.io'], ['pods'], ['list']),
  rule(['custom.metrics.k8s.io'], ['*'], ['get', 'list']),
  rule(['external.metrics.k8s.io'], ['*'], ['get', 'list']),
  eventsRule,
];
