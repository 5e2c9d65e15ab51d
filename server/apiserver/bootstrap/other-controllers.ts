import type { ControllerRules } from './controller-roles.ts';
import { eventsRule, rule } from './role-notation.ts';

const readPods = rule('read', 'core', 'pods');
const readClaims = rule('read', 'core', 'persistentvolumeclaims');
const readVolumes = rule('read', 'core', 'persistentvolumes');
const readResource = (resources: string) => rule('read', 'resource.k8s.io', resources);

/**
 * The permissions that v1.36 grants to its controllers that are not built in here, so that a kube-controller-manager, a cloud controller or
 * the controller of a volume plugin can work with their service accounts. A built-in controller of the same account states its own rules
 * instead.
 */
const otherControllers: readonly ControllerRules[] = [
  {
    account: 'certificate-controller',
    rules: [
      rule('delete get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
      rule('update', 'certificates.k8s.io', 'certificatesigningrequests/approval certificatesigningrequests/status'),
      rule('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client-kubelet'),
      rule(
        'sign',
        'certificates.k8s.io',
        'signers',
        'kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown',
      ),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      eventsRule,
    ],
  },
  {
    account: 'device-taint-eviction-controller',
    rules: [
      rule('delete get list watch', 'core', 'pods'),
      rule('patch update', 'core', 'pods/status'),
      readResource('resourceclaims'),
      readResource('resourceslices'),
      readResource('deviceclasses'),
      eventsRule,
    ],
  },
  { account: 'route-controller', rules: [rule('list watch', 'core', 'nodes'), rule('patch', 'core', 'nodes/status'), eventsRule] },
  {
    account: 'selinux-warning-controller',
    rules: [eventsRule, readVolumes, readClaims, readPods, rule('read', 'storage.k8s.io', 'csidrivers')],
  },
  {
    account: 'service-cidrs-controller',
    rules: [
      rule('get list patch update watch', 'networking.k8s.io', 'servicecidrs'),
      rule('patch update', 'networking.k8s.io', 'servicecidrs/finalizers'),
      rule('patch update', 'networking.k8s.io', 'servicecidrs/status'),
      rule('read', 'networking.k8s.io', 'ipaddresses'),
      eventsRule,
    ],
  },
  {
    account: 'service-controller',
    rules: [
      rule('read', 'core', 'services'),
      rule('patch update', 'core', 'services/status'),
      rule('list watch', 'core', 'nodes'),
      eventsRule,
    ],
  },
  { account: 'ttl-controller', rules: [rule('list patch update watch', 'core', 'nodes'), eventsRule] },
];

/** The rules of built-in controllers, and of the others of v1.36. */
export function withOtherControllers(builtIn: readonly ControllerRules[]): readonly ControllerRules[] {
  const accounts = new Set(builtIn.map(({ account }) => account));
  return [...builtIn, ...otherControllers.filter(({ account }) => !accounts.has(account))];
}
