/** An object that both servers are given before they are compared. */
interface SeedObject {
  /** The path of the collection it is posted to. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

function object(path: string, apiVersion: string, kind: string, name: string, fields: Fields = {}): SeedObject {
  const { metadata, ...rest } = fields;
  return { path, body: { apiVersion, kind, metadata: { name, ...(metadata as Fields | undefined) }, ...rest } };
}

const core = (namespace: string, plural: string, kind: string, name: string, fields?: Fields) =>
  object(namespace === '' ? `/api/v1/${plural}` : `/api/v1/namespaces/${namespace}/${plural}`, 'v1', kind, name, fields);
const rbac = (namespace: string, plural: string, kind: string, name: string, fields?: Fields) =>
  object(
    `/apis/rbac.authorization.k8s.io/v1${namespace === '' ? '' : `/namespaces/${namespace}`}/${plural}`,
    'rbac.authorization.k8s.io/v1',
    kind,
    name,
    fields,
  );
const rule = (apiGroups: string[], resources: string[], verbs: string[], resourceNames?: string[]) => ({
  ...{ apiGroups, resources, verbs },
  ...(resourceNames ? { resourceNames } : {}),
});
const clusterRole = (name: string, ...rules: object[]) => rbac('', 'clusterroles', 'ClusterRole', name, { rules });
const roleRef = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
const subject = (kind: string, name: string) =>
  kind === 'ServiceAccount' ? { kind, name, namespace: 'team-a' } : { apiGroup: 'rbac.authorization.k8s.io', kind, name };
const clusterBinding = (role: string, kind: string, name: string) =>
  rbac('', 'clusterrolebindings', 'ClusterRoleBinding', `${role}-${name.replaceAll(':', '-')}`, {
    roleRef: roleRef('ClusterRole', role),
    subjects: [subject(kind, name)],
  });
const binding = (namespace: string, roleKind: string, role: string, kind: string, name: string) =>
  rbac(namespace, 'rolebindings', 'RoleBinding', `${role}-${name.replaceAll(':', '-')}`, {
    roleRef: roleRef(roleKind, role),
    subjects: [subject(kind, name)],
  });

const enforce = (level: string, ...modes: string[]) => ({
  metadata: { labels: Object.fromEntries(modes.map((mode) => [`pod-security.kubernetes.io/${mode}`, level])) },
});

/** Namespaces with labels that set Pod security levels. */
export const namespaces: Readonly<Record<string, Fields>> = {
  'team-a': {},
  'team-b': {},
  restricted: enforce('restricted', 'enforce', 'audit', 'warn'),
  baseline: enforce('baseline', 'enforce'),
  warned: enforce('restricted', 'warn'),
  audited: enforce('restricted', 'audit'),
  exempt: enforce('restricted', 'enforce'),
  pinned: {
    metadata: {
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/enforce-version': 'v1.20' },
    },
  },
};

const container = { name: 'main', image: 'pause' };
const kubernetesSigner = (name: string) => `kubernetes.io/${name}`;

function pod(namespace: string, name: string, nodeName: string, spec: Fields = {}): SeedObject {
  return core(namespace, 'pods', 'Pod', name, { spec: { nodeName, containers: [container], ...spec } });
}

const env = (secret: string) => [{ ...container, envFrom: [{ secretRef: { name: secret } }, { configMapRef: { name: `${secret}-map` } }] }];

function nodeObjects(): SeedObject[] {
  const nodes = ['node-1', 'node-2'].map((name) => core('', 'nodes', 'Node', name, { metadata: { labels: { zone: 'a' } } }));
  const data = { data: { key: 'dmFsdWU=' } };
  return [
    ...nodes,
    ...['one', 'two', 'unused'].flatMap((name) => [
      core('team-a', 'secrets', 'Secret', name, data),
      core('team-a', 'configmaps', 'ConfigMap', `${name}-map`, { data: { key: 'value' } }),
    ]),
    core('team-a', 'persistentvolumeclaims', 'PersistentVolumeClaim', 'claim-1', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'volume-1', storageClassName: '' },
    }),
    core('', 'persistentvolumes', 'PersistentVolume', 'volume-1', {
      spec: {
        ...{ accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } },
        claimRef: { namespace: 'team-a', name: 'claim-1' },
      },
    }),
    pod('team-a', 'web-1', 'node-1', {
      ...{ serviceAccountName: 'robot', containers: env('one') },
      volumes: [{ name: 'claim', persistentVolumeClaim: { claimName: 'claim-1' } }],
    }),
    pod('team-a', 'web-2', 'node-2', { containers: env('two') }),
    pod('team-b', 'web-1', 'node-1'),
    object('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', 'coordination.k8s.io/v1', 'Lease', 'node-1'),
    object('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', 'coordination.k8s.io/v1', 'Lease', 'node-2'),
    object('/apis/storage.k8s.io/v1/csinodes', 'storage.k8s.io/v1', 'CSINode', 'node-2', { spec: { drivers: [] } }),
  ];
}

function bootstrapToken(id: string, fields: Fields = {}): SeedObject {
  const stringData = { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...fields };
  return core('kube-system', 'secrets', 'Secret', `bootstrap-token-${id}`, { type: 'bootstrap.kubernetes.io/token', stringData });
}

const everything = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const kinds = ['pods', 'secrets', 'configmaps', 'services', 'serviceaccounts', 'persistentvolumeclaims', 'events', 'endpoints'];
const parts = ['pods/log', 'pods/exec', 'pods/eviction', 'pods/proxy', 'pods/ephemeralcontainers', 'serviceaccounts/token', 'namespaces'];
const groups = ['apps', 'batch', 'policy', 'networking.k8s.io'];

/** Roles like admin, edit and view, which upstream's controllers would have to put together first. */
function teamRoles(): SeedObject[] {
  const roles = rule(['rbac.authorization.k8s.io'], ['roles', 'rolebindings'], everything);
  const edit = [rule([''], [...kinds, ...parts], everything), rule(groups, ['*'], everything)];
  return [
    clusterRole('team-admin', ...edit, roles),
    clusterRole('team-edit', ...edit),
    clusterRole(
      'team-view',
      rule(['', ...groups], [...kinds.filter((kind) => kind !== 'secrets'), 'namespaces'], ['get', 'list', 'watch']),
    ),
  ];
}

function rights(): SeedObject[] {
  return [
    ...teamRoles(),
    binding('team-a', 'ClusterRole', 'team-admin', 'User', 'alice'),
    clusterBinding('team-view', 'Group', 'viewers'),
    clusterRole('role-editor', rule(['rbac.authorization.k8s.io'], ['*'], ['*']), rule([''], ['pods'], ['get', 'list'])),
    binding('team-a', 'ClusterRole', 'role-editor', 'Group', 'role-editors'),
    rbac('team-a', 'roles', 'Role', 'pod-reader', { rules: [rule([''], ['pods', 'pods/log'], ['get', 'list', 'watch'])] }),
    rbac('team-a', 'roles', 'Role', 'named', {
      rules: [rule([''], ['configmaps'], ['get', 'update', 'list', 'watch'], ['one-map']), rule([''], ['secrets'], ['create'])],
    }),
    binding('team-a', 'Role', 'named', 'User', 'eve'),
    clusterRole(
      'role-binder',
      rule(['rbac.authorization.k8s.io'], ['roles', 'rolebindings', 'clusterrolebindings'], ['create', 'update', 'patch', 'get']),
      rule(['rbac.authorization.k8s.io'], ['clusterroles'], ['bind'], ['team-view', 'team-edit']),
      rule(['rbac.authorization.k8s.io'], ['roles'], ['escalate']),
    ),
    clusterBinding('role-binder', 'Group', 'role-binders'),
    clusterRole(
      'impersonator',
      rule([''], ['users'], ['impersonate'], ['bob', 'jane', 'system:anonymous']),
      rule([''], ['groups'], ['impersonate'], ['viewers', 'developers']),
      rule([''], ['serviceaccounts'], ['impersonate'], ['robot']),
      rule(['authentication.k8s.io'], ['uids'], ['impersonate'], ['1234']),
      rule(['authentication.k8s.io'], ['userextras/scopes'], ['impersonate'], ['view', 'development']),
    ),
    clusterBinding('impersonator', 'Group', 'impersonators'),
    clusterRole(
      'approver',
      rule(['certificates.k8s.io'], ['certificatesigningrequests'], ['get', 'list', 'create', 'update', 'delete', 'patch']),
      rule(['certificates.k8s.io'], ['certificatesigningrequests/approval', 'certificatesigningrequests/status'], ['update', 'patch']),
      rule(['certificates.k8s.io'], ['signers'], ['approve', 'sign'], ['example.com/*', kubernetesSigner('kube-apiserver-client')]),
    ),
    clusterBinding('approver', 'Group', 'approvers'),
    clusterRole('paths', { nonResourceURLs: ['/metrics', '/logs/*', '/custom'], verbs: ['get'] }),
    clusterBinding('paths', 'User', 'eve'),
    binding('team-a', 'ClusterRole', 'team-edit', 'ServiceAccount', 'deployer'),
    clusterRole('token-maker', rule([''], ['serviceaccounts/token'], ['create'])),
    clusterBinding('token-maker', 'User', 'carol'),
    clusterRole('requester', rule(['certificates.k8s.io'], ['certificatesigningrequests'], ['create', 'get'])),
    clusterBinding('requester', 'Group', 'system:authenticated'),
  ];
}

/** All objects that exist before the first request, in the order in which they are made. */
export function seedObjects(): SeedObject[] {
  return [
    ...Object.entries(namespaces).map(([name, fields]) => core('', 'namespaces', 'Namespace', name, fields)),
    ...Object.keys(namespaces).map((name) => core(name, 'serviceaccounts', 'ServiceAccount', 'default')),
    ...['robot', 'deployer'].map((name) => core('team-a', 'serviceaccounts', 'ServiceAccount', name)),
    ...rights(),
    ...nodeObjects(),
    bootstrapToken('aaaaaa'),
    bootstrapToken('bbbbbb', { 'auth-extra-groups': 'system:bootstrappers:team,system:bootstrappers:x' }),
    bootstrapToken('cccccc', { expiration: '2020-01-01T00:00:00Z' }),
    bootstrapToken('dddddd', { 'usage-bootstrap-authentication': 'false' }),
  ];
}
