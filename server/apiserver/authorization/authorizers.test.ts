import assert from 'node:assert/strict';
import { ObjectStore } from '../../../api/client/informers/object-store.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, PodSpec } from '../../../api/types/core-v1.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../../../api/types/rbac-v1.ts';
import type { ResourceSlice } from '../../../api/types/resource-v1.ts';
import type { VolumeAttachment } from '../../../api/types/storage-v1.ts';
import { parseFieldSelector } from '../../../api/selectors/field-selector.ts';
import { nodeRules } from '../bootstrap/cluster-roles.ts';
import { clusterRole, clusterRoleBinding, group, role, roleBinding, rule, serviceAccount, user } from '../bootstrap/role-notation.ts';
import type { AuthorizationAttributes, Authorizer } from './authorizer.ts';
import { createEscalationGuard } from './escalation.ts';
import { createNodeAuthorizer, nodeNameOfPod, podsByNode } from './node-authorizer.ts';
import { createRBACAuthorizer, createRuleResolver } from './rbac-authorizer.ts';
import { privilegedGroupAuthorizer, unionAuthorizer } from './union-authorizer.ts';

function storeOf<T extends KubeObject>(...objects: T[]): ObjectStore<T> {
  const store = new ObjectStore<T>();
  for (const object of objects) store.set(object as Parameters<ObjectStore<T>['set']>[0]);
  return store;
}

function slice(name: string, nodeName?: string): ResourceSlice {
  const pool = { name: 'pool', generation: 1, resourceSliceCount: 1 };
  return { metadata: { name }, spec: { driver: 'd', pool, ...(nodeName === undefined ? { allNodes: true } : { nodeName }) } };
}

function attachment(name: string, nodeName: string): VolumeAttachment {
  return { metadata: { name }, spec: { attacher: 'd', nodeName, source: { persistentVolumeName: 'pv' } } };
}

function ask(who: UserInfo, verb: string, resource: string, more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes {
  return {
    user: who,
    verb,
    isResourceRequest: true,
    namespace: '',
    apiGroup: '',
    apiVersion: 'v1',
    resource,
    subresource: '',
    name: '',
    path: '',
    ...more,
  };
}

const jane = { name: 'jane', groups: ['dev'] };
const account = { name: 'system:serviceaccount:ns:sa', groups: [] };

describe('RBAC', () => {
  const listers = {
    clusterRoles: storeOf<ClusterRole>(
      clusterRole('reader', [rule('read', 'core', 'pods')]),
      clusterRole('rooter', [rule('*', 'rbac.authorization.k8s.io', 'roles rolebindings')]),
    ),
    clusterRoleBindings: storeOf<ClusterRoleBinding>(clusterRoleBinding('reader', group('dev')), clusterRoleBinding('gone', user('bob'))),
    roles: storeOf<Role>(role('ns', 'editor', [rule('all', 'apps', 'deployments')])),
    roleBindings: storeOf<RoleBinding>(
      roleBinding('ns', 'a', 'editor', user('jane'), serviceAccount('', 'sa')),
      roleBinding('ns', 'b', 'missing', user('bob')),
    ),
  };
  const authorizer = createRBACAuthorizer(listers);
  const table: [string, AuthorizationAttributes, boolean, string][] = [
    [
      'a cluster-wide binding holds in every namespace',
      ask(jane, 'list', 'pods', { namespace: 'other' }),
      true,
      'RBAC: allowed by ClusterRoleBinding "reader" of ClusterRole "reader" to Group "dev"',
    ],
    [
      'and for all namespaces at once',
      ask(jane, 'list', 'pods'),
      true,
      'RBAC: allowed by ClusterRoleBinding "reader" of ClusterRole "reader" to Group "dev"',
    ],
    [
      'a binding holds in its namespace',
      ask(jane, 'delete', 'deployments', { apiGroup: 'apps', namespace: 'ns' }),
      true,
      'RBAC: allowed by RoleBinding "a/ns" of Role "editor" to User "jane"',
    ],
    ['and in no other', ask(jane, 'delete', 'deployments', { apiGroup: 'apps', namespace: 'other' }), false, ''],
    ['nor cluster-wide', ask(jane, 'list', 'deployments', { apiGroup: 'apps' }), false, ''],
    [
      'a service account without namespace is that of the binding',
      ask(account, 'get', 'deployments', { apiGroup: 'apps', namespace: 'ns' }),
      true,
      'RBAC: allowed by RoleBinding "a/ns" of Role "editor" to ServiceAccount "sa/"',
    ],
    [
      'roles that are not there are told',
      ask({ name: 'bob', groups: [] }, 'get', 'pods', { namespace: 'ns' }),
      false,
      'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "missing" not found]',
    ],
  ];
  for (const [name, asked, isAllowed, reason] of table) {
    it(name, async () => assert.deepEqual(await authorizer.authorize(asked), { decision: isAllowed ? 'Allow' : 'NoOpinion', reason }));
  }

  it('lists what holds for a user', () => {
    const { rules, errors } = createRuleResolver(listers).rulesFor(jane, 'ns');
    assert.deepEqual([rules.length, errors], [2, []]);
  });

  it('follows roles and bindings as they change', async () => {
    const changing = { ...listers, clusterRoles: storeOf<ClusterRole>(), roleBindings: storeOf<RoleBinding>() };
    const follower = createRBACAuthorizer(changing);
    const decide = async (verb: string) => (await follower.authorize(ask(jane, verb, 'pods', { namespace: 'ns' }))).decision;
    const change = <T extends KubeObject>(store: ObjectStore<T>, object: T) => store.set(object as Parameters<ObjectStore<T>['set']>[0]);
    assert.equal(await decide('get'), 'NoOpinion');
    change(changing.clusterRoles, clusterRole('reader', [rule('get', 'core', 'pods')]));
    assert.deepEqual([await decide('get'), await decide('delete')], ['Allow', 'NoOpinion']);
    change(changing.roles, role('ns', 'deleter', [rule('delete', 'core', 'pods')]));
    change(changing.roleBindings, roleBinding('ns', 'd', 'deleter', user('jane')));
    assert.equal(await decide('delete'), 'Allow');
    changing.roleBindings.remove({ namespace: 'ns', name: 'd' });
    changing.clusterRoles.remove({ namespace: '', name: 'reader' });
    assert.deepEqual([await decide('get'), await decide('delete')], ['NoOpinion', 'NoOpinion']);
  });

  describe('escalation', () => {
    const everyone: Authorizer = unionAuthorizer([privilegedGroupAuthorizer, authorizer]);
    const guard = createEscalationGuard(createRuleResolver(listers), everyone);
    const check = (who: UserInfo) => ({ user: who, resource: 'roles', namespace: 'ns', name: 'new' });
    it('lets a user hand out what it holds', () =>
      guard.checkRole(check(jane), [rule('get', 'core', 'pods'), rule('delete', 'apps', 'deployments', 'web')]));
    it('refuses more than that, and says what', () =>
      assert.rejects(guard.checkRole(check(jane), [rule('get delete', 'core', 'pods secrets')]), {
        code: 403,
        message:
          'roles.rbac.authorization.k8s.io "new" is forbidden: user "jane" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n' +
          '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["delete" "get"]}',
      }));
    it('lets system:masters', () => guard.checkRole(check({ name: 'admin', groups: ['system:masters'] }), [rule('*', '*', '*')]));
    it('binds only what is held', async () => {
      const binding = { ...check(jane), resource: 'rolebindings' };
      await guard.checkBinding(binding, { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' });
      await assert.rejects(guard.checkBinding(binding, { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'rooter' }), {
        code: 403,
      });
      await assert.rejects(
        guard.checkBinding(binding, { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'nowhere' }),
        /not found/,
      );
    });
  });
});

describe('node authorizer', () => {
  const pod = (name: string, nodeName: string, spec: Partial<PodSpec>): Pod => ({
    metadata: { namespace: 'ns', name },
    spec: { nodeName, containers: [], ...spec },
  });
  const pods = storeOf<Pod>();
  pods.addIndex(podsByNode, nodeNameOfPod);
  for (const one of [
    pod('a', 'n1', {
      serviceAccountName: 'sa',
      imagePullSecrets: [{ name: 'pull' }],
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }],
      containers: [
        {
          name: 'c',
          env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }],
          envFrom: [{ configMapRef: { name: 'cm' } }],
        },
      ],
      volumes: [
        { name: 'v', projected: { sources: [{ secret: { name: 'projected' } }] } },
        { name: 'd', persistentVolumeClaim: { claimName: 'claim' } },
      ],
    }),
    pod('b', 'n2', { volumes: [{ name: 'v', secret: { secretName: 'theirs' } }] }),
    {
      ...pod('mirror', 'n1', { volumes: [{ name: 'v', secret: { secretName: 'wanted' } }] }),
      metadata: { namespace: 'ns', name: 'mirror', annotations: { 'kubernetes.io/config.mirror': 'x' } },
    },
  ]) {
    pods.set(one as Parameters<typeof pods.set>[0]);
  }
  const sources = {
    pods,
    persistentVolumeClaims: storeOf<PersistentVolumeClaim>({ metadata: { namespace: 'ns', name: 'claim' }, spec: { volumeName: 'pv' } }),
    persistentVolumes: storeOf<PersistentVolume>({
      metadata: { name: 'pv' },
      spec: { csi: { driver: 'd', volumeHandle: 'h', nodeStageSecretRef: { namespace: 'csi', name: 'stage' } } },
    }),
    volumeAttachments: storeOf<VolumeAttachment>(attachment('ours', 'n1'), attachment('theirs', 'n2')),
    resourceSlices: storeOf<ResourceSlice>(slice('ours', 'n1'), slice('theirs', 'n2'), slice('shared')),
  };
  let asked = 0;
  const authorizer = createNodeAuthorizer({
    sources() {
      asked++;
      return sources;
    },
    rules: nodeRules as readonly PolicyRule[],
  });

  it('looks at no pods before a node asks', () => {
    authorizer.authorize(ask({ name: 'alice', groups: [] }, 'get', 'secrets', { namespace: 'ns', name: 'env' }));
    assert.equal(asked, 0);
  });

  const n1 = { name: 'system:node:n1', groups: ['system:nodes'] };
  const inNS = { namespace: 'ns' };
  const table: [string, AuthorizationAttributes, boolean][] = [
    ['a secret in env', ask(n1, 'get', 'secrets', { ...inNS, name: 'env' }), true],
    ['a pull secret', ask(n1, 'get', 'secrets', { ...inNS, name: 'pull' }), true],
    ['a projected secret, watched', ask(n1, 'watch', 'secrets', { ...inNS, name: 'projected' }), true],
    ['a config map', ask(n1, 'get', 'configmaps', { ...inNS, name: 'cm' }), true],
    ['a secret of a pod elsewhere', ask(n1, 'get', 'secrets', { ...inNS, name: 'theirs' }), false],
    ['the same name in another namespace', ask(n1, 'get', 'secrets', { namespace: 'other', name: 'env' }), false],
    ['what a mirror pod names', ask(n1, 'get', 'secrets', { ...inNS, name: 'wanted' }), false],
    ['all secrets', ask(n1, 'list', 'secrets', inNS), false],
    ['writing a secret', ask(n1, 'update', 'secrets', { ...inNS, name: 'env' }), false],
    ['a claim and its volume', ask(n1, 'get', 'persistentvolumeclaims', { ...inNS, name: 'claim' }), true],
    ['its resource claim', ask(n1, 'get', 'resourceclaims', { apiGroup: 'resource.k8s.io', ...inNS, name: 'gpu' }), true],
    ['another resource claim', ask(n1, 'get', 'resourceclaims', { apiGroup: 'resource.k8s.io', ...inNS, name: 'other' }), false],
    ['its volume', ask(n1, 'get', 'persistentvolumes', { name: 'pv' }), true],
    ["its volume's secret", ask(n1, 'get', 'secrets', { namespace: 'csi', name: 'stage' }), true],
    ['a token of its pod', ask(n1, 'create', 'serviceaccounts', { ...inNS, name: 'sa', subresource: 'token' }), true],
    ['a token of another', ask(n1, 'create', 'serviceaccounts', { ...inNS, name: 'admin', subresource: 'token' }), false],
    ['what is attached to it', ask(n1, 'get', 'volumeattachments', { apiGroup: 'storage.k8s.io', name: 'ours' }), true],
    ['what is attached elsewhere', ask(n1, 'get', 'volumeattachments', { apiGroup: 'storage.k8s.io', name: 'theirs' }), false],
    ['all that is attached', ask(n1, 'list', 'volumeattachments', { apiGroup: 'storage.k8s.io' }), false],
    ['its lease', ask(n1, 'update', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'n1' }), true],
    [
      'the lease of another',
      ask(n1, 'update', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'n2' }),
      false,
    ],
    ['itself', ask(n1, 'get', 'nodes', { name: 'n1' }), true],
    ['another node', ask(n1, 'get', 'nodes', { name: 'n2' }), false],
    ['its status', ask(n1, 'patch', 'nodes', { name: 'n1', subresource: 'status' }), true],
    ['its pod', ask(n1, 'get', 'pods', { ...inNS, name: 'a' }), true],
    ['a pod elsewhere', ask(n1, 'get', 'pods', { ...inNS, name: 'b' }), false],
    ['its pods', ask(n1, 'list', 'pods', { fields: parseFieldSelector('spec.nodeName=n1,status.phase!=Failed') }), true],
    ['one of its pods, watched', ask(n1, 'watch', 'pods', { ...inNS, name: 'a' }), true],
    ['one pod elsewhere, watched', ask(n1, 'watch', 'pods', { ...inNS, name: 'b' }), false],
    ['the pods of another node', ask(n1, 'list', 'pods', { fields: parseFieldSelector('spec.nodeName=n2') }), false],
    ['all pods but those of a node', ask(n1, 'list', 'pods', { fields: parseFieldSelector('spec.nodeName!=n1') }), false],
    ['all pods', ask(n1, 'watch', 'pods'), false],
    ['the log of its pod', ask(n1, 'get', 'pods', { ...inNS, name: 'a', subresource: 'log' }), false],
    ['the status of pods', ask(n1, 'patch', 'pods', { ...inNS, name: 'a', subresource: 'status' }), true],
    ['evicting', ask(n1, 'create', 'pods', { ...inNS, name: 'a', subresource: 'eviction' }), true],
    ['changing a pod', ask(n1, 'update', 'pods', { ...inNS, name: 'a' }), false],
    ['all nodes', ask(n1, 'list', 'nodes'), false],
    ['itself, watched', ask(n1, 'watch', 'nodes', { name: 'n1' }), true],
    ['deleting itself', ask(n1, 'delete', 'nodes', { name: 'n1' }), false],
    [
      'the slices of its devices',
      ask(n1, 'list', 'resourceslices', { apiGroup: 'resource.k8s.io', fields: parseFieldSelector('spec.nodeName=n1') }),
      true,
    ],
    ['a slice of its own', ask(n1, 'get', 'resourceslices', { apiGroup: 'resource.k8s.io', name: 'ours' }), true],
    ['changing its slice', ask(n1, 'patch', 'resourceslices', { apiGroup: 'resource.k8s.io', name: 'ours' }), true],
    ['deleting its slice', ask(n1, 'delete', 'resourceslices', { apiGroup: 'resource.k8s.io', name: 'ours' }), true],
    ['making a slice', ask(n1, 'create', 'resourceslices', { apiGroup: 'resource.k8s.io' }), true],
    ...['get', 'update', 'patch', 'delete'].flatMap((verb): [string, AuthorizationAttributes, boolean][] => [
      [`${verb} of another node's slice`, ask(n1, verb, 'resourceslices', { apiGroup: 'resource.k8s.io', name: 'theirs' }), false],
      [`${verb} of a slice of no node`, ask(n1, verb, 'resourceslices', { apiGroup: 'resource.k8s.io', name: 'shared' }), false],
      [`${verb} of a slice that is not there`, ask(n1, verb, 'resourceslices', { apiGroup: 'resource.k8s.io', name: 'none' }), false],
    ]),
    [
      'a subresource of its slice',
      ask(n1, 'get', 'resourceslices', { apiGroup: 'resource.k8s.io', name: 'ours', subresource: 'x' }),
      false,
    ],
    ['all slices', ask(n1, 'deletecollection', 'resourceslices', { apiGroup: 'resource.k8s.io' }), false],
    ['events', ask(n1, 'create', 'events', inNS), true],
    ['deployments', ask(n1, 'list', 'deployments', { apiGroup: 'apps' }), false],
    ['all of this without the group', ask({ ...n1, groups: [] }, 'get', 'secrets', { ...inNS, name: 'env' }), false],
  ];
  for (const [name, asked, isAllowed] of table) {
    it(`${isAllowed ? 'allows' : 'does not allow'} ${name}`, async () =>
      assert.equal((await authorizer.authorize(asked)).decision, isAllowed ? 'Allow' : 'NoOpinion'));
  }
});
