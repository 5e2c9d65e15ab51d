import { eventsRule, rule } from '../runtime/rules.ts';

const group = ['certificates.k8s.io'];

export const rules = [
  rule(group, ['certificatesigningrequests'], ['get', 'list', 'watch']),
  rule(group, ['certificatesigningrequests/approval'], ['update']),
  { ...rule(group, ['signers'], ['approve']), resourceNames: ['kubernetes.io/kube-apiserver-client-kubelet'] },
  rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
  eventsRule,
];
