import { eventsRule, rule } from '../runtime/rules.ts';

const group = ['certificates.k8s.io'];

export const rules = [
  rule(group, ['certificatesigningrequests'], ['get', 'list', 'watch']),
  rule(group, ['certificatesigningrequests/status'], ['update']),
  {
    ...rule(group, ['signers'], ['sign']),
    resourceNames: [
      'kubernetes.io/kube-apiserver-client',
      'kubernetes.io/kube-apiserver-client-kubelet',
      'kubernetes.io/kubelet-serving',
      'kubernetes.io/legacy-unknown',
    ],
  },
  eventsRule,
];
