import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import type { DifferentialRequest } from '../differential-request.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const rules = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'delete'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['one', 'two'] },
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { apiGroups: ['apps', ''], resources: ['deployments', 'deployments/scale'], verbs: ['*'] },
  { apiGroups: [''], resources: ['*/status'], verbs: ['get'] },
  { nonResourceURLs: ['/metrics'], verbs: ['get'] },
  { nonResourceURLs: ['*'], verbs: ['get'] },
  { nonResourceURLs: ['/x*y'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods'], verbs: [] },
  { apiGroups: [], resources: ['pods'], verbs: ['get'] },
  { apiGroups: [''], resources: [], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods'], nonResourceURLs: ['/x'], verbs: ['get'] },
  { verbs: ['get'] },
  {},
];
const references = [
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'team-view' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'team-edit' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'team-admin' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nowhere' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'pod-reader' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'named' },
  { apiGroup: '', kind: 'Role', name: 'named' },
  { apiGroup: 'x', kind: 'Role', name: 'named' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'Thing', name: 'x' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: '' },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a/b' },
  {},
];
const subjects = [
  { kind: 'User', name: 'eve', apiGroup: 'rbac.authorization.k8s.io' },
  { kind: 'User', name: 'eve' },
  { kind: 'Group', name: 'x', apiGroup: 'x' },
  { kind: 'ServiceAccount', name: 'robot', namespace: 'team-a' },
  { kind: 'ServiceAccount', name: 'robot' },
  { kind: 'ServiceAccount', name: 'ROBOT', namespace: 'team-a', apiGroup: 'x' },
  { kind: 'Thing', name: 'x' },
  { kind: 'User', name: '' },
];
const askers = ['alice', 'alice', 'carol', 'carol', 'dave', 'dave', 'eve', 'bob', 'admin', 'deployer', 'robot'];

/** Roles and bindings made and changed by people with and without the rights that are in them. */
export function* roleRequests(random: Random, count: number): Generator<DifferentialRequest> {
  const some = <T>(list: readonly T[]) => Array.from({ length: randomInt(random, 3) }, () => oneOf(random, list));
  for (let made = 0; made < count; made++) {
    const isCluster = randomInt(random, 4) === 0;
    const isRole = randomInt(random, 2) === 0;
    const kind = `${isCluster ? 'Cluster' : ''}Role${isRole ? '' : 'Binding'}`;
    const base = `/apis/${apiVersion}${isCluster ? '' : `/namespaces/${oneOf(random, ['team-a', 'team-a', 'team-a', 'team-b'])}`}/${kind.toLowerCase()}s`;
    const existing = isRole ? (isCluster ? 'paths' : 'named') : isCluster ? 'paths-eve' : 'named-eve';
    const name = oneOf(random, ['fresh', 'fresh', existing]);
    const aggregation =
      isRole && isCluster && randomInt(random, 4) === 0 ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: 'y' } }] } } : {};
    const content = isRole ? { rules: some(rules), ...aggregation } : { roleRef: oneOf(random, references), subjects: some(subjects) };
    const body = { apiVersion, kind, metadata: { name }, ...content };
    const common = { part: 'roles', as: oneOf(random, askers) };
    switch (randomInt(random, 4)) {
      case 0:
      case 1:
        yield { ...common, method: 'POST', path: `${base}?dryRun=All`, body };
        break;
      case 2:
        yield { ...common, method: 'PUT', path: `${base}/${name}?dryRun=All`, body };
        break;
      default:
        yield {
          ...common,
          method: 'PATCH',
          path: `${base}/${name}?dryRun=All`,
          contentType: 'application/merge-patch+json',
          body: content,
        };
    }
  }
}
