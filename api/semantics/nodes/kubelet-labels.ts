/** Labels under kubernetes.io that a kubelet may set about its node. */
export const kubeletLabels: readonly string[] = [
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'kubernetes.io/arch',
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
];
/** Domains, with all below them, in which it may set any. */
export const kubeletDomains: readonly string[] = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const kubernetesDomains = ['kubernetes.io', 'k8s.io'];

/** False for a label of Kubernetes' own domains that is not the kubelet's to decide. */
export function mayKubeletSet(label: string): boolean {
  const domain = domainOfLabel(label);
  return !isWithinDomains(domain, kubernetesDomains) || kubeletLabels.includes(label) || isWithinDomains(domain, kubeletDomains);
}

export function domainOfLabel(label: string): string {
  return label.includes('/') ? label.slice(0, label.indexOf('/')) : '';
}

export function isWithinDomains(domain: string, parents: readonly string[]): boolean {
  return parents.some((parent) => domain === parent || domain.endsWith(`.${parent}`));
}
