import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';

const bound = (apiVersion: string, kind: string, name: string, uid?: string) => ({
  boundObjectRef: { apiVersion, kind, name, ...(uid === undefined ? {} : { uid }) },
});
const nowhere = '00000000-0000-4000-8000-000000000000';
const references = [
  {},
  {},
  {},
  bound('v1', 'Pod', 'web-1', '{{uid:pods/team-a/web-1}}'),
  bound('v1', 'Pod', 'web-1'),
  bound('v1', 'Pod', 'web-1', nowhere),
  bound('v1', 'Pod', 'web-2', '{{uid:pods/team-a/web-2}}'),
  bound('v1', 'Pod', 'nowhere', nowhere),
  bound('v1', 'Secret', 'one', '{{uid:secrets/team-a/one}}'),
  bound('v1', 'Secret', 'nowhere'),
  bound('v1', 'Node', 'node-1', '{{uid:nodes/node-1}}'),
  bound('v1', 'Node', 'nowhere'),
  bound('v1', 'ConfigMap', 'one-map'),
  bound('v2', 'Pod', 'web-1'),
  bound('apps/v1', 'Pod', 'web-1'),
  bound('', 'Pod', 'web-1'),
  { boundObjectRef: {} },
];
const spans = [undefined, undefined, undefined, 600, 599, 3600, 0, -1, 1, 4_294_967_296, 4_294_967_297, 315_360_000, 'x', 3600.5];
const audiences = [undefined, undefined, [], ['vault'], [''], ['a', 'a'], 'vault'];
const askers = [
  'admin',
  'admin',
  'carol',
  'alice',
  'eve',
  'robot',
  'system:node:node-1',
  'system:node:node-1',
  'system:node:node-2',
  'deployer',
];
const metadata = [
  undefined,
  undefined,
  { name: 'robot' },
  { name: 'other' },
  { namespace: 'team-b' },
  { name: 'robot', namespace: 'team-a' },
];

/** Requests for tokens of service accounts, bound to existing and missing objects. */
export function* tokenRequests(random: Random, count: number): Generator<DifferentialRequest> {
  for (let made = 0; made < count; made++) {
    const [expirationSeconds, of, meta] = [oneOf(random, spans), oneOf(random, audiences), oneOf(random, metadata)];
    const spec = {
      ...oneOf(random, references),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      ...(of === undefined ? {} : { audiences: of }),
    };
    const place = oneOf(random, ['team-a', 'team-a', 'team-a', 'team-b', 'nowhere']);
    const account = oneOf(random, ['robot', 'robot', 'default', 'nowhere']);
    yield {
      ...{ part: 'token-requests', as: oneOf(random, askers), method: 'POST' },
      path: `/api/v1/namespaces/${place}/serviceaccounts/${account}/token${randomInt(random, 6) === 0 ? '?dryRun=All' : ''}`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', ...(meta ? { metadata: meta } : {}), spec },
    };
  }
}
