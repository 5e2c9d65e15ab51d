import type { DifferentialRequest } from '../differential-request.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const map = (name: string, data: object = { a: '1' }) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const pod = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } });

const admin = (method: string, path: string, more: Partial<DifferentialRequest> = {}): DifferentialRequest => ({
  ...{ part: 'audit', as: 'admin', method, path, ...more },
});
const patch = (path: string, contentType: string, body: unknown) => admin('PATCH', path, { contentType, body });
const impersonated = (path: string, ...headers: [string, string][]) => admin('GET', path, { headers });

function configMapRequests(): DifferentialRequest[] {
  return [
    admin('POST', maps, { body: map('one') }),
    admin('POST', maps, { body: map('one') }),
    admin('POST', `${maps}?dryRun=All`, { body: map('dry') }),
    admin('POST', maps, { body: { ...map('x'), metadata: { name: 'BAD_NAME' } } }),
    admin('POST', maps, { body: '{"apiVersion":' }),
    admin('POST', maps, { body: map('one'), contentType: 'text/plain' }),
    admin('GET', `${maps}/one`),
    admin('GET', `${maps}/missing`),
    admin('GET', maps),
    admin('GET', `${maps}?limit=1`),
    admin('GET', `${maps}?labelSelector=a%3Db`),
    admin('GET', maps, { headers: [['Accept', 'application/json;as=Table;v=v1;g=meta.k8s.io']] }),
    admin('GET', `${maps}/one`, { headers: [['Accept', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io']] }),
    admin('GET', `${maps}?watch=true&timeoutSeconds=1&resourceVersion=0`),
    admin('PUT', `${maps}/one`, { body: map('one', { a: '2' }) }),
    admin('PUT', `${maps}/missing`, { body: map('missing') }),
    admin('PUT', `${maps}/one`, { body: map('other') }),
    patch(`${maps}/one`, 'application/merge-patch+json', { data: { b: '1' } }),
    patch(`${maps}/one`, 'application/json-patch+json', [{ op: 'replace', path: '/data/a', value: '3' }]),
    patch(`${maps}/one`, 'application/strategic-merge-patch+json', { metadata: { labels: { l: '1' } } }),
    patch(`${maps}/one`, 'application/json-patch+json', [{ op: 'remove', path: '/data/none' }]),
    patch(
      `${maps}/applied?fieldManager=m`,
      'application/apply-patch+yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: "1"}\n',
    ),
    patch(`${maps}/one`, 'application/merge-patch+json', '{"data":'),
    admin('DELETE', `${maps}/one`),
    admin('DELETE', `${maps}/one`),
    admin('DELETE', `${maps}?labelSelector=none%3Dat-all`),
    admin('DELETE', `${maps}/applied`, { body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'wrong' } } }),
    admin('DELETE', `${maps}/applied`, { body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' } }),
  ];
}

function otherResourceRequests(): DifferentialRequest[] {
  return [
    admin('POST', pods, { body: pod('p') }),
    admin('POST', pods, { body: { ...pod('q'), spec: { containers: [] } } }),
    admin('GET', `${pods}/p/status`),
    patch(`${pods}/p/status`, 'application/merge-patch+json', { status: { phase: 'Running' } }),
    admin('GET', `${pods}/p/log`),
    admin('POST', `${pods}/p/exec?command=ls`),
    admin('POST', `${pods}/p/binding`, {
      body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } },
    }),
    admin('POST', `${pods}/p/eviction`, {
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p', namespace: 'default' } },
    }),
    admin('DELETE', `${pods}/p?gracePeriodSeconds=0`),
    admin('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'audit-ns' } } }),
    patch('/api/v1/namespaces/audit-ns', 'application/merge-patch+json', {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline', 'pod-security.kubernetes.io/audit': 'restricted' } },
    }),
    admin('POST', '/api/v1/namespaces/audit-ns/pods', { body: pod('plain') }),
    admin('POST', '/api/v1/namespaces/audit-ns/pods', { body: { ...pod('host'), spec: { ...pod('host').spec, hostNetwork: true } } }),
    admin('POST', '/api/v1/namespaces/default/secrets', {
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { a: 'hidden' } },
    }),
    admin('GET', '/api/v1/namespaces/default/secrets/s'),
    admin('GET', '/api/v1/secrets'),
    admin('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'sa' } },
    }),
    admin('POST', '/api/v1/namespaces/default/serviceaccounts/sa/token', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['a'], expirationSeconds: 600 } },
    }),
    admin('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'x' } },
    }),
    admin('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
      },
    }),
    admin('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: 'jane', resourceAttributes: { verb: 'get', resource: 'pods' } },
      },
    }),
    admin('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'audit-r' },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
      },
    }),
    admin('DELETE', '/apis/rbac.authorization.k8s.io/v1/clusterroles/audit-r'),
  ];
}

function otherPathRequests(): DifferentialRequest[] {
  return [
    admin('GET', '/version'),
    admin('GET', '/apis'),
    admin('GET', '/nowhere'),
    admin('POST', '/version', { body: {} }),
    admin('GET', '/apis/none.example.com/v1/things'),
    admin('OPTIONS', maps),
    admin('GET', '/api/v1/nodes'),
    admin('GET', '/api/v1/nodes/none/proxy/healthz'),
    admin('GET', '/api/v1/namespaces/default/services/none/proxy/'),
    impersonated(maps, ['Impersonate-User', 'jane'], ['Impersonate-Group', 'dev']),
    impersonated(`${maps}/one`, ['Impersonate-User', 'system:serviceaccount:default:sa']),
    impersonated(maps, ['Impersonate-User', 'jane'], ['Impersonate-Uid', '7'], ['Impersonate-Extra-scopes', 'a']),
    { ...admin('GET', maps), as: 'anonymous' },
    { ...admin('GET', '/version'), as: 'anonymous' },
    admin('GET', maps, { headers: [['User-Agent', 'x'.repeat(1500)]] }),
    admin('GET', maps, {
      headers: [
        ['X-Forwarded-For', '198.51.100.7, 203.0.113.9'],
        ['X-Real-Ip', '192.0.2.7'],
      ],
    }),
    admin('DELETE', '/api/v1/namespaces/audit-ns'),
  ];
}

/** Requests of every verb and result, in an order in which later ones use the objects of earlier ones. */
export function auditRequests(): DifferentialRequest[] {
  return [...configMapRequests(), ...otherResourceRequests(), ...otherPathRequests()];
}
