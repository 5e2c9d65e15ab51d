import type { Verdict } from './compare-answers.ts';
import type { DifferentialRequest } from './differential-request.ts';

/** Two answers that differ, and kube-apiserver's answer to an administrator for a request that it refuses. */
export interface Differing {
  readonly request: DifferentialRequest;
  readonly theirs: Verdict;
  readonly ours: Verdict;
  readonly asAdmin: Verdict;
}

/** A way in which kubets is meant to answer otherwise than kube-apiserver v1.32, and why. */
export interface Deviation {
  readonly reason: string;
  matches(differing: Differing): boolean;
}

const unprintable = /\\x[0-9a-f]{2}|\\ufffd|\ufffd/g;

function textOf({ reason, message, details, warnings, review }: Verdict): string {
  return JSON.stringify([reason, message, details, warnings, review]);
}

/** Whether both are equal when that part is left out. */
function sameWithout(theirs: Verdict, ours: Verdict, without: (text: string) => string): boolean {
  return theirs.status === ours.status && without(textOf(theirs)) === without(textOf(ours));
}

/** Invalid values in either notation, which come before the message of the rule that they break. */
const values = /((?:Invalid|Unsupported|Duplicate) value: ).*?(?=: (?:[a-z`'<]|RFC|Approved|PEM|Invalid|Name))/g;
const bodyOf = (request: DifferentialRequest) => JSON.stringify(request.body ?? '');

const isNoRoute = ({ status }: Verdict) => status === 404 || status === 405;

export const deviations: readonly Deviation[] = [
  {
    reason: 'paths and methods that do not exist are answered 404 and 405 before rights are asked',
    matches: ({ theirs, ours, asAdmin }) => theirs.status === 403 && isNoRoute(ours) && isNoRoute(asAdmin),
  },
  {
    reason: 'octets of a path that are no UTF-8 are shown as U+FFFD',
    matches: ({ theirs, ours }) =>
      theirs.message !== '' && sameWithout(theirs, ours, (text) => text.replace(unprintable, '').replaceAll('\\', '')),
  },
  {
    reason: 'a request target with octets beyond ASCII is no HTTP (RFC 9112) and answered 400',
    matches: ({ request, ours }) => (ours.status === 400 || ours.status === 0) && /[^\x21-\x7e]/.test(request.path),
  },
  {
    reason: '`watch` and `proxy` with nothing behind are resources that do not exist; kube-apiserver fails with 500',
    matches: ({ theirs }) => theirs.status === 500 && theirs.message.includes('unable to determine kind and namespace from url'),
  },
  {
    reason: 'Go answers what is no HTTP with a body, to HEAD too, which breaks the connection',
    matches: ({ request, theirs, ours }) => request.method === 'HEAD' && theirs.status === 0 && ours.status === 400,
  },
  {
    reason: 'messages show values that are lists and objects as JSON, as v1.36 does; v1.32 shows them as Go source',
    matches: ({ theirs, ours }) => theirs.status === 422 && sameWithout(theirs, ours, (text) => text.replace(values, '$1')),
  },
  {
    reason: 'nodes may read all Pods, Nodes, Namespaces, NetworkPolicies and Services with their endpoints (docs/security.md)',
    matches: ({ request, theirs, ours }) =>
      /^(system:node:|node-outside$)/.test(request.as) &&
      request.method === 'GET' &&
      /^(pods|nodes|namespaces|networkpolicies|services|endpoints|endpointslices)\b/.test(theirs.message) &&
      theirs.status === 403 &&
      ours.status < 300,
  },
  {
    reason: 'a token whose subject is another account than its claims is refused',
    matches: ({ request }) => request.as === 'subject-mismatch' || bodyOf(request).includes('{{token:subject-mismatch}}'),
  },
  {
    reason: 'white space is no token; kube-apiserver says that it authenticates system:anonymous',
    matches: ({ request, ours }) => bodyOf(request).includes('"token":" "') && JSON.stringify(ours.review).includes('invalid bearer token'),
  },
  {
    reason: 'a library has another name since: errors of signatures begin with go-jose/go-jose',
    matches: ({ theirs, ours }) => sameWithout(theirs, ours, (text) => text.replace('square/go-jose:', 'go-jose/go-jose:')),
  },
  {
    reason: 'extras to be impersonated are named in the order of the request; kube-apiserver names them in a random one',
    matches: ({ theirs, ours }) =>
      theirs.message.includes('without impersonating a user') &&
      sameWithout(theirs, ours, (text) => (text.match(/\{[^{}]*\}/g) ?? []).toSorted().join()),
  },
  {
    reason: 'hostUsers and procMount are in force since v1.33, and their rules with them',
    matches: ({ request, ours }) =>
      /"hostUsers":/.test(bodyOf(request)) ||
      (ours.status >= 400 && /"procMount":"Unmasked"/.test(bodyOf(request)) && ours.message.includes('procMount')),
  },
  {
    reason: 'Pod Security looks at the hosts of probes and lifecycle handlers since v1.34',
    matches: ({ theirs, ours }) =>
      textOf(ours).includes('probe or lifecycle host') && (theirs.status < 300 || theirs.status === ours.status),
  },
  {
    reason: 'Endpoints are deprecated since v1.33',
    matches: ({ theirs, ours }) => sameWithout(theirs, ours, (text) => text.replace(/"299 - [^,]*v1 Endpoints is deprecated[^,]*"/, '')),
  },
  {
    reason: 'nodes may not change ownerReferences of their Node since CVE-2025-5187',
    matches: ({ theirs, ours }) => theirs.status < 300 && ours.message.endsWith('is not allowed to modify ownerReferences'),
  },
  {
    reason: 'an empty certificate in the status of a request is none; kube-apiserver takes it for a change, which only signers may make',
    matches: ({ request, theirs, ours }) =>
      /"certificate":""/.test(bodyOf(request)) && theirs.message.includes('not permitted to sign requests') && ours.status < 300,
  },
  {
    reason: 'mirror Pods with resource claims are refused since CVE-2025-4563',
    matches: ({ ours }) => ours.message.includes('can not create pods that reference resourceclaims'),
  },
  {
    reason:
      'v1.32 copies the AppArmor annotation into the field before it judges a Pod, and compares seccomp annotations; kubets judges what is there',
    matches: ({ request, ours, theirs }) =>
      /container\.apparmor\.security\.beta|seccomp\.security\.alpha|appArmorProfile/.test(bodyOf(request)) &&
      /AppArmor|seccomp type in annotation/i.test(textOf(theirs)) &&
      !textOf(ours).includes('seccomp type in annotation'),
  },
  {
    reason: 'the Pod template of a StatefulSet is validated; v1.32 leaves most of it to the Pods',
    matches: ({ request, theirs, ours }) => request.path.includes('/statefulsets') && theirs.status === 201 && ours.status === 422,
  },
  {
    reason: 'the difference in a claim is shown as JSON, not as Go source',
    matches: ({ theirs, ours }) =>
      theirs.status === ours.status &&
      [theirs, ours].every(({ message }) => message.includes('is not allowed to update fields other than status.')),
  },
  {
    reason: 'an empty segment leads nowhere; where it stands for a name, kube-apiserver takes the resource for listed',
    matches: ({ request, ours }) => ours.status === 404 && /[^/](\/|%2f){2}[^?]/i.test(request.path),
  },
  {
    reason: 'a watch of componentstatuses is no method of theirs, as any other is none',
    matches: ({ request, theirs, ours }) => request.path.includes('componentstatuses') && theirs.status === 405 && ours.status === 405,
  },
  {
    reason: 'what nodes may do besides (docs/security.md) shows in their reviews, too',
    matches: ({ request, ours }) => /access-reviews/.test(request.part) && JSON.stringify(ours.review).includes('\\"kubets:n'),
  },
  {
    reason: 'the scale of what is not there is named after what it is a scale of',
    matches: ({ theirs, ours }) => sameWithout(theirs, ours, (text) => text.replaceAll('/scale', '')) && theirs.status === 404,
  },
];
