import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';

const apiVersion = 'authorization.k8s.io/v1';
const users = [
  'alice',
  'bob',
  'carol',
  'eve',
  'admin',
  'system:node:node-1',
  'system:node:node-2',
  'system:node:',
  'system:serviceaccount:team-a:robot',
  'system:serviceaccount:team-a:deployer',
  'system:anonymous',
  '',
  'system:kube-scheduler',
];
const groups = [
  undefined,
  [],
  ['viewers'],
  ['system:masters'],
  ['system:nodes'],
  ['system:authenticated'],
  ['system:unauthenticated'],
  ['role-editors', 'system:authenticated'],
  ['impersonators'],
];
const verbs = [
  'get',
  'list',
  'watch',
  'create',
  'delete',
  'deletecollection',
  'update',
  'patch',
  'impersonate',
  'bind',
  'escalate',
  'approve',
  '*',
  '',
  'x',
  'use',
];
const apiGroups = [
  '',
  '',
  'apps',
  'rbac.authorization.k8s.io',
  'certificates.k8s.io',
  'authentication.k8s.io',
  '*',
  'x',
  'coordination.k8s.io',
  'storage.k8s.io',
];
const resources = [
  'pods',
  'secrets',
  'configmaps',
  'nodes',
  'users',
  'groups',
  'serviceaccounts',
  'roles',
  'clusterroles',
  'signers',
  'uids',
  'userextras',
  'leases',
  'csinodes',
  'deployments',
  'persistentvolumeclaims',
  '*',
  '',
  'x',
  'pods/log',
];
const subresources = ['', '', '', 'status', 'token', 'log', 'approval', 'proxy', '*', 'scopes', 'exec'];
const names = ['', '', 'one', 'one-map', 'web-1', 'node-1', 'node-2', 'bob', 'view', 'example.com/x', 'volume-1', 'claim-1', 'robot', '*'];
const places = ['', 'team-a', 'team-a', 'team-b', 'kube-system', 'kube-node-lease', 'nowhere'];
const paths = [
  '/metrics',
  '/logs/x',
  '/logs',
  '/custom',
  '/custom/x',
  '/healthz',
  '/api',
  '/version',
  '/openapi/v2',
  '',
  '*',
  '/x',
  'metrics',
];
const selectors = [
  undefined,
  undefined,
  undefined,
  undefined,
  { fieldSelector: { rawSelector: 'spec.nodeName=node-1' } },
  { fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['node-1'] }] } },
  { labelSelector: { requirements: [{ key: 'a', operator: 'Exists' }] } },
  { labelSelector: { rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'Exists' }] } },
  { labelSelector: { requirements: [{ key: 'a', operator: 'x' }] } },
  { fieldSelector: {} },
];

function attributesOf(random: Random): object {
  if (randomInt(random, 4) === 0) return { nonResourceAttributes: { path: oneOf(random, paths), verb: oneOf(random, verbs) } };
  const resourceAttributes = {
    ...{
      namespace: oneOf(random, places),
      verb: oneOf(random, verbs),
      group: oneOf(random, apiGroups),
      resource: oneOf(random, resources),
    },
    ...{ subresource: oneOf(random, subresources), name: oneOf(random, names), ...oneOf(random, selectors) },
    ...(randomInt(random, 6) === 0 ? { version: oneOf(random, ['v1', '*', 'v9']) } : {}),
  };
  const both = randomInt(random, 30) === 0 ? { nonResourceAttributes: { path: '/x', verb: 'get' } } : {};
  return randomInt(random, 40) === 0 ? {} : { resourceAttributes, ...both };
}

const askers = ['admin', 'admin', 'alice', 'bob', 'eve', 'robot', 'anonymous', 'system:node:node-1', 'system:kube-controller-manager'];

/** Access reviews: for oneself, for others, in one namespace, and in every wrong form. */
export function* reviewRequests(random: Random, count: number): Generator<DifferentialRequest> {
  for (let made = 0; made < count; made++) {
    const asked = attributesOf(random);
    const who = {
      ...{ user: oneOf(random, users), ...(randomInt(random, 2) === 0 ? { groups: oneOf(random, groups) } : {}) },
      ...(randomInt(random, 8) === 0 ? { extra: { 'authentication.kubernetes.io/node-name': ['node-1'], scopes: ['view'] } } : {}),
      ...(randomInt(random, 8) === 0 ? { uid: 'x' } : {}),
    };
    const post = (path: string, kind: string, spec: object, more: object = {}): DifferentialRequest => ({
      ...{ part: 'access-reviews', as: oneOf(random, askers), method: 'POST' },
      ...{ path: `/apis/${apiVersion}${path}`, body: { apiVersion, kind, ...more, spec } },
    });
    switch (randomInt(random, 7)) {
      case 0:
      case 1:
      case 2:
        yield { ...post('/subjectaccessreviews', 'SubjectAccessReview', { ...who, ...asked }), as: 'admin' };
        break;
      case 3: {
        const namespace = oneOf(random, ['team-a', 'team-b', 'nowhere']);
        const more = randomInt(random, 3) === 0 ? { metadata: { namespace: oneOf(random, places) } } : {};
        yield post(`/namespaces/${namespace}/localsubjectaccessreviews`, 'LocalSubjectAccessReview', { ...who, ...asked }, more);
        break;
      }
      case 4:
      case 5:
        yield post('/selfsubjectaccessreviews', 'SelfSubjectAccessReview', asked);
        break;
      default:
        yield {
          ...post('/selfsubjectrulesreviews', 'SelfSubjectRulesReview', { namespace: oneOf(random, places) }),
          as: oneOf(random, ['alice', 'eve', 'robot', 'deployer', 'carol']),
        };
    }
  }
}
