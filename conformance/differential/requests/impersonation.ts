import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';

export const whoAmI = {
  method: 'POST',
  path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
} as const;

type Header = readonly [name: string, value: string];

const userNames = [
  'bob',
  'jane',
  'eve',
  '',
  'system:anonymous',
  'system:serviceaccount:team-a:robot',
  'system:serviceaccount:team-a:deployer',
  'system:serviceaccount:team-a:',
  'system:serviceaccount:a:b:c',
  'system:serviceaccount::robot',
  'system:node:node-1',
  'system:admin',
  'Bob',
  ' bob',
  'é',
];
const groupNames = [
  'viewers',
  'developers',
  'system:masters',
  'system:authenticated',
  'system:unauthenticated',
  '',
  'viewers,system:masters',
  'system:serviceaccounts',
  'x',
];
const uids = ['1234', '5678', '', '1234,5678'];
const extras: readonly Header[] = [
  ['Impersonate-Extra-scopes', 'view'],
  ['Impersonate-Extra-Scopes', 'development'],
  ['Impersonate-Extra-scopes', 'admin'],
  ['Impersonate-Extra-scopes', ''],
  ['Impersonate-Extra-acme.com%2fproject', 'x'],
  ['Impersonate-Extra-%zz', 'x'],
  ['Impersonate-Extra-', 'x'],
  ['impersonate-extra-scopes', 'view,development'],
];
const users = ['erin', 'erin', 'erin', 'admin', 'admin', 'eve', 'bob', 'anonymous', 'robot', 'system:node:node-1'];
const targets = [
  whoAmI,
  whoAmI,
  { method: 'GET', path: '/api/v1/namespaces/team-a/pods' },
  { method: 'GET', path: '/api/v1/namespaces/team-a/secrets/one' },
  { method: 'GET', path: '/metrics/x' },
  { method: 'DELETE', path: '/api/v1/namespaces/team-a/pods/web-1?dryRun=All' },
];

/** Combinations of Impersonate-* headers by users with and without rights. */
export function* impersonationRequests(random: Random, count: number): Generator<DifferentialRequest> {
  const some = (chance: number) => randomInt(random, 100) < chance;
  for (let made = 0; made < count; made++) {
    const headers: Header[] = [];
    if (some(85)) headers.push(['Impersonate-User', oneOf(random, userNames)]);
    if (some(5)) headers.push(['Impersonate-User', oneOf(random, userNames)]);
    while (some(45)) headers.push(['Impersonate-Group', oneOf(random, groupNames)]);
    if (some(20)) headers.push(['Impersonate-Uid', oneOf(random, uids)]);
    while (some(30)) headers.push(oneOf(random, extras));
    yield { part: 'impersonation', as: oneOf(random, users), ...oneOf(random, targets), headers };
  }
}
