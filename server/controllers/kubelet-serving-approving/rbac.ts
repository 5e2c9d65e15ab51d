import { eventsRule, rule } from '../runtime/rules.ts';

const group = ['certificates.k8s.io'];

export const rules = [
  rule([''], ['nodes'], ['get', 'list', 'watch']),
  rule(['networking.k8s.io'], ['servicecidrs'], ['get', 'list', 'watch']),
  rule(group, ['certificatesigningrequests'], ['get', 'list', 'watch']),
  rule(group, ['certificatesigningrequests/approval'], ['update']),
  { ...rule(group, ['signers'], ['approve']), resourceNames: ['kubernetes.io/kubelet-serving'] },
  rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
  eventsRule,
];
