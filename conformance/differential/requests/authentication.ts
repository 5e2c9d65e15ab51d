import type { DifferentialRequest } from '../differential-request.ts';
import { badTokens, tokenUsers } from '../identities.ts';
import { whoAmI } from './impersonation.ts';

type Header = readonly [name: string, value: string];

const proxied: readonly (readonly Header[])[] = [
  [['X-Remote-User', 'bob']],
  [['X-Remote-User', '']],
  [['X-Remote-Group', 'system:masters']],
  [
    ['X-Remote-User', 'bob'],
    ['X-Remote-Group', 'a'],
    ['X-Remote-Group', 'b,c'],
    ['X-Remote-Group', ''],
  ],
  [
    ['X-Remote-User', 'bob'],
    ['X-Remote-User', 'admin'],
  ],
  [
    ['X-Remote-User', 'bob'],
    ['X-Remote-Extra-Scopes', 'a'],
    ['X-Remote-Extra-scopes', 'b'],
    ['X-Remote-Extra-Acme.com%2fx', 'y'],
  ],
  [
    ['X-Remote-User', 'bob'],
    ['X-Remote-Extra-%zz', 'a'],
    ['X-Remote-Extra-', 'b'],
  ],
  [['X-Remote-User', 'system:anonymous']],
  [
    ['X-Remote-User', 'bob'],
    ['X-Remote-Group', 'system:unauthenticated'],
  ],
  [
    ['X-Remote-User', 'erin'],
    ['X-Remote-Group', 'impersonators'],
    ['Impersonate-User', 'bob'],
  ],
  [
    ['x-remote-user', 'bob'],
    ['x-remote-group', 'viewers'],
  ],
];

const tokensToReview = [...tokenUsers, ...badTokens];
const audiences: readonly (readonly string[] | undefined)[] = [
  undefined,
  [],
  ['vault'],
  ['https://kubernetes.default.svc.cluster.local'],
  ['vault', 'https://kubernetes.default.svc.cluster.local'],
  ['x'],
  [''],
];

function review(token: string, of: readonly string[] | undefined): DifferentialRequest {
  return {
    part: 'token-reviews',
    as: 'admin',
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, ...(of ? { audiences: of } : {}) } },
  };
}

/** Every credential asks who it is and for something it may not see; every token is reviewed for every audience. */
export function* authenticationRequests(identities: Iterable<string>): Generator<DifferentialRequest> {
  for (const as of identities) {
    yield { part: 'credentials', as, ...whoAmI };
    yield { part: 'credentials', as, method: 'GET', path: '/api/v1/namespaces/team-a/secrets/one' };
    yield { part: 'credentials', as, method: 'GET', path: '/healthz' };
  }
  for (const headers of proxied)
    for (const as of ['front-proxy', 'front-proxy-other', 'eve', 'anonymous', 'admin']) {
      yield { part: 'front-proxy', as, ...whoAmI, headers };
      yield { part: 'front-proxy', as, method: 'GET', path: '/api/v1/namespaces/team-a/pods/web-1', headers };
    }
  for (const name of tokensToReview) for (const of of audiences) yield review(`{{token:${name}}}`, of);
  for (const token of ['', ' ', 'x', 'aaaaaa.0123456789abcdef ', 'AAAAAA.0123456789abcdef', 'a.b', '{{token:robot}} '])
    yield review(token, undefined);
  for (const as of ['eve', 'bob', 'system:node:node-1', 'anonymous', 'robot']) yield { ...review('{{token:robot}}', undefined), as };
}
