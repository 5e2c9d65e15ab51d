import type { CertificateRequestFacts } from '../../../api/semantics/certificates/certificate-request.ts';

const nodes = 'system:nodes';
const nodePrefix = 'system:node:';
const clientUsages = ['client auth', 'digital signature', 'key encipherment'];
const servingUsages = ['digital signature', 'key encipherment', 'server auth'];

/** The reason why a request is not for a kubelet's client certificate; undefined if it is. */
export function kubeletClientProblem(request: CertificateRequestFacts, usages: readonly string[]): string | undefined {
  if (!isOfNodes(request)) return 'subject organization is not system:nodes';
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (request.addresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!request.commonName.startsWith(nodePrefix)) return 'subject common name does not begin with system:node:';
  return usagesProblem(usages, clientUsages);
}

/** The reason why a request is not for a kubelet's serving certificate; undefined if it is. */
export function kubeletServingProblem(request: CertificateRequestFacts, usages: readonly string[]): string | undefined {
  if (!isOfNodes(request)) return 'subject organization is not system:nodes';
  if (request.dnsNames.length + request.addresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed';
  const problem = usagesProblem(usages, servingUsages);
  if (problem !== undefined) return problem;
  return request.commonName.startsWith(nodePrefix) ? undefined : 'subject common name does not begin with system:node:';
}

function isOfNodes({ organizations }: CertificateRequestFacts): boolean {
  return organizations.length === 1 && organizations[0] === nodes;
}

/** Only keys of RSA encipher keys: for others that usage may be left out. */
function usagesProblem(usages: readonly string[], required: readonly string[]): string | undefined {
  const given = new Set(usages);
  const equals = (wanted: readonly string[]) => wanted.length === given.size && wanted.every((usage) => given.has(usage));
  if (equals(required) || equals(required.filter((usage) => usage !== 'key encipherment'))) return undefined;
  return `usages did not match [${required.join(' ')}]`;
}
