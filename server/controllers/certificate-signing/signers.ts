import type { CertificateRequestFacts } from '../../../api/semantics/certificates/certificate-request.ts';
import { kubeletClientProblem, kubeletServingProblem } from '../runtime/kubelet-certificates.ts';

type Problem = (request: CertificateRequestFacts, usages: readonly string[]) => string | undefined;

/** The requests that each of Kubernetes' own signers refuses, and why. */
export const signers: ReadonlyMap<string, Problem> = new Map([
  ['kubernetes.io/kube-apiserver-client', (_request, usages) => clientUsagesProblem(usages)],
  ['kubernetes.io/kube-apiserver-client-kubelet', kubeletClientProblem],
  ['kubernetes.io/kubelet-serving', kubeletServingProblem],
  ['kubernetes.io/legacy-unknown', () => undefined],
] satisfies [string, Problem][]);

function clientUsagesProblem(usages: readonly string[]): string | undefined {
  const allowed = ['digital signature', 'key encipherment', 'client auth'];
  const foreign = usages.find((usage) => !allowed.includes(usage));
  if (foreign !== undefined) return `invalid usage for client certificate: ${foreign}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}

const minuteMs = 60_000;
export const longestMs = 365 * 24 * 60 * minuteMs;
const shortestMs = 10 * minuteMs;
/** How far the clocks of others may be behind. */
const backdateMs = 5 * minuteMs;
/** Certificates of shorter life are not shortened by the time for which their start is backdated. */
const shortMs = 8 * 60 * minuteMs;

/** From when until when a certificate is to be good. */
export function validity(
  expirationSeconds: number | undefined,
  nowMs: number,
): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const lifeMs = expirationSeconds === undefined ? longestMs : Math.min(longestMs, Math.max(shortestMs, expirationSeconds * 1000));
  const endMs = nowMs + lifeMs - (lifeMs < shortMs ? 0 : backdateMs);
  return { notBeforeMs: nowMs - backdateMs, notAfterMs: endMs };
}
