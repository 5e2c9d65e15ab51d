import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';

const bases = [
  '/api',
  '/api/v1',
  '/api/v1/pods',
  '/api/v1/nodes/node-1',
  '/api/v1/nodes/node-1/status',
  '/api/v1/namespaces',
  '/api/v1/namespaces/team-a',
  '/api/v1/namespaces/team-a/status',
  '/api/v1/namespaces/team-a/finalize',
  '/api/v1/namespaces/team-a/pods',
  '/api/v1/namespaces/team-a/pods/web-1',
  '/api/v1/namespaces/team-a/pods/web-1/status',
  '/api/v1/namespaces/team-a/pods/nowhere/log',
  '/api/v1/namespaces/team-a/pods/web-1/resize',
  '/api/v1/namespaces/team-a/secrets/one',
  '/api/v1/namespaces/team-a/configmaps/one-map',
  '/api/v1/namespaces/team-a/serviceaccounts/robot/token',
  '/api/v1/namespaces/team-a/nodes/node-1',
  '/api/v1/namespaces/team-a/namespaces/team-b',
  '/api/v1/namespaces/default/services/nowhere/proxy/a/b',
  '/api/v1/watch/pods',
  '/api/v1/watch/namespaces/team-a/pods/web-1',
  '/api/v1/proxy/nodes/node-1',
  '/api/v2/pods',
  '/apis',
  '/apis/apps',
  '/apis/apps/v1',
  '/apis/apps/v1/deployments',
  '/apis/apps/v1/namespaces/team-a/deployments/web',
  '/apis/apps/v1/namespaces/team-a/deployments/web/scale',
  '/apis/apps/v1/watch/namespaces/team-a/deployments',
  '/apis/apps/v9/deployments',
  '/apis/none.example.com/v1/things',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles/team-view',
  '/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/roles/named',
  '/apis/certificates.k8s.io/v1/certificatesigningrequests/none/approval',
  '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1',
  '/version',
  '/healthz',
  '/livez/ping',
  '/readyz',
  '/metrics',
  '/logs/x',
  '/custom',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/none',
  '/',
];

type Change = (segments: string[], random: Random) => void;

const at = (segments: readonly string[], random: Random) => randomInt(random, segments.length);
const hex = (character: string, isUpper: boolean) => {
  const text = `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return isUpper ? text.toUpperCase() : text;
};

/** Each makes a path odder. */
const changes: readonly Change[] = [
  (segments, random) => segments.splice(at(segments, random), 0, ''),
  (segments) => segments.push(''),
  (segments) => segments.push('', ''),
  (segments, random) => segments.splice(at(segments, random), 0, '.'),
  (segments, random) => segments.splice(at(segments, random), 0, '..'),
  (segments, random) =>
    segments.splice(
      at(segments, random),
      0,
      oneOf(random, [
        '%2e',
        '%2E%2e',
        '.%2e',
        '%2f',
        '%2F%2f',
        '%5c',
        '%00',
        '%25',
        '%zz',
        '%',
        '%e9',
        '%c3%a9',
        '%0a',
        '%20',
        '%7f',
        ';',
        ';x=y',
        'é',
        '*',
        '...',
        '~',
        '-',
        '%3b',
        '%3f',
        '%23',
        '+',
        ',',
      ]),
    ),
  (segments, random) => {
    const place = at(segments, random);
    const [before = '', after] = segments.splice(place, 2);
    segments.splice(
      place,
      0,
      after === undefined
        ? before
        : `${before}${oneOf(random, ['%2f', '%2F', '%252f', '\\', '%5C', ';/', '/./', '/../', '//', '%2f%2f'])}${after}`,
    );
  },
  (segments, random) => {
    const place = at(segments, random);
    const segment = segments[place] ?? '';
    const index = randomInt(random, Math.max(1, segment.length));
    if (segment !== '')
      segments[place] = segment.slice(0, index) + hex(segment[index] ?? 'a', randomInt(random, 2) === 0) + segment.slice(index + 1);
  },
  (segments, random) => {
    const place = at(segments, random);
    segments[place] = [...(segments[place] ?? '')].map((one) => (one < '\u0080' ? hex(one, false) : one)).join('');
  },
  (segments, random) => {
    const place = at(segments, random);
    segments[place] = (segments[place] ?? '').toUpperCase();
  },
  (segments, random) => {
    const place = at(segments, random);
    segments[place] =
      `${segments[place] ?? ''}${oneOf(random, ['%20', '%00', ';', ';a=b', '.', '%0d%0a', '%2e', ':', ':80', '.json', '%2fproxy', '%2fstatus', 's', '_', '%ff'])}`;
  },
  (segments, random) => void segments.splice(at(segments, random), 1),
  (segments, random) =>
    segments.push(
      oneOf(random, [
        'status',
        'proxy',
        'exec',
        'log',
        'scale',
        'watch',
        'x',
        'proxy/..',
        'finalize',
        'namespaces',
        'pods',
        'token',
        'binding',
        'eviction',
        'ephemeralcontainers',
        'approval',
        'portforward',
        'attach',
      ]),
    ),
  (segments, random) =>
    segments.splice(
      Math.min(segments.length, 2 + randomInt(random, 2)),
      0,
      oneOf(random, [
        'watch',
        'proxy',
        'redirect',
        'namespaces',
        'namespaces/team-a',
        'namespaces/team-b',
        'namespaces//',
        'watch/namespaces/team-a',
      ]),
    ),
  (segments, random) => {
    const place = at(segments, random);
    segments.splice(place, 0, segments[place] ?? '');
  },
  (segments, random) => {
    const [one, other] = [at(segments, random), at(segments, random)];
    [segments[one], segments[other]] = [segments[other] ?? '', segments[one] ?? ''];
  },
];

const queries = [
  '',
  '',
  '',
  '',
  '?watch=true&timeoutSeconds=1',
  '?fieldSelector=metadata.name%3Dweb-1',
  '?fieldSelector=metadata.name=one-map',
  '?watch=0',
  '?limit=1',
  '?watch',
  '?dryRun=All',
  '?x=%zz',
  '?labelSelector=a;b',
  '?fieldSelector=metadata.name%21%3Dx',
];
const methods = ['GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'DELETE', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'];
/** Users who see the authorized words in the refusal, or the routed ones in the answer. */
const users = ['eve', 'eve', 'eve', 'alice', 'admin', 'bob', 'anonymous', 'system:node:node-1'];

/** Unusual spellings of paths. They change nothing: writes have no body, or are dry runs. */
export function* pathRequests(random: Random, count: number): Generator<DifferentialRequest> {
  for (let made = 0; made < count; made++) {
    const segments = oneOf(random, bases).slice(1).split('/');
    for (let left = randomInt(random, 4); left > 0 && segments.length > 0; left--) oneOf(random, changes)(segments, random);
    const path = `/${segments.join('/')}`.replaceAll(/[^\u0021-\u00ff]/g, '_');
    const method = oneOf(random, methods);
    const query = method === 'DELETE' ? '?dryRun=All' : oneOf(random, queries);
    yield { part: 'paths', as: oneOf(random, users), method, path: `${path}${query}` };
  }
}
