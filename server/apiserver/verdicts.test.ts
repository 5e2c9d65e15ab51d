import assert from 'node:assert/strict';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { secrets } from '../../api/resources/core/v1/secret.ts';
import { clusterRoleBindings } from '../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../api/resources/rbac/v1/cluster-role.ts';
import { certificateSigningRequests } from '../../api/resources/certificates/v1/certificate-signing-request.ts';
import { commonNameType } from '../../api/semantics/certificates/distinguished-name.ts';
import { encodeRequest } from '../pki/testing/certificate-request.ts';
import { createAPICaller } from './testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from './testing/complete-server.ts';

/*
 * Verdicts in which kubets once differed from a real kube-apiserver (see conformance/differential): who asks, for what, and
 * the status and message that both give.
 */

const nodeGroups = ['system:nodes', 'system:authenticated'];
const people: Readonly<Record<string, readonly string[]>> = {
  admin: ['system:masters', 'system:authenticated'],
  eve: ['system:authenticated'],
  binder: ['system:authenticated'],
  'system:node:one': nodeGroups,
  'system:node:': nodeGroups,
  stray: nodeGroups,
};

const utf8String = 0x0c;
const requestOf = (name: string) =>
  Buffer.from(encodeRequest({ subject: [[{ type: commonNameType, tag: utf8String, value: Buffer.from(name) }]] })).toString('base64');
const csr = (signerName: string, name = 'jane', more: object = {}) => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name: 'fresh' },
  spec: { request: requestOf(name), signerName, usages: ['client auth'], ...more },
});
const binding = (roleRef: object) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'fresh' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'x', ...roleRef },
});
const token = (metadata: object, spec: object = {}) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata, spec });
const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };

const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const bindings = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings';
const accounts = '/api/v1/namespaces/default/serviceaccounts';
const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

type Row = readonly [who: string, method: string, target: string, body: unknown, status: number, message: string | RegExp];

const table: readonly Row[] = [
  // Paths
  ['eve', 'DELETE', '/healthz', undefined, 403, 'forbidden: User "eve" cannot delete path "/healthz"'],
  ['eve', 'GET', '/readyz', undefined, 200, ''],
  ['admin', 'GET', '//api/v1/pods', undefined, 404, /^404 page not found/],
  ['admin', 'GET', '/apis//v1/pods', undefined, 404, /^404 page not found/],
  ['admin', 'DELETE', '/apis/apps', undefined, 200, ''],
  ['admin', 'DELETE', '/apis/apps//', undefined, 405, 'the server does not allow this method on the requested resource'],
  [
    'admin',
    'POST',
    '/apis/authentication.k8s.io/v1/watch/selfsubjectreviews',
    review,
    404,
    'the server could not find the requested resource',
  ],
  ['admin', 'POST', '/api/v1/proxy/nodes/one/x', {}, 404, 'the server could not find the requested resource'],
  ['eve', 'GET', '/api/v1//pods', undefined, 403, 'forbidden: User "eve" cannot get resource "" in API group "" at the cluster scope'],
  ['admin', 'GET', '/.well-known/openid-configuration/x', undefined, 404, 'the server could not find the requested resource'],
  ['admin', 'HEAD', '/api/v1/nodes/one/nothing', undefined, 404, ''],
  [
    'admin',
    'GET',
    '/api/v1/watch/namespaces/default/pods/a?fieldSelector=metadata.name%3Db',
    undefined,
    400,
    "fieldSelector metadata.name doesn't match requested name",
  ],
  ['admin', 'GET', '/apis//', undefined, 404, /^404 page not found/],
  ['admin', 'GET', '/api/v1/nodes/one/proxy/x?dryRun=All', undefined, 400, 'dryRun is not supported'],
  ['admin', 'POST', '/api/v1/namespaces/default/pods/p/exec?stdin=true&dryRun=All', undefined, 400, 'dryRun is not supported'],
  [
    'admin',
    'TRACE',
    '/api/v1/nodes/one/proxy/x?dryRun=All',
    undefined,
    405,
    'the server does not allow this method on the requested resource',
  ],
  ['admin', 'TRACE', '/api/v1/nodes/one/proxy/x', undefined, 405, 'the server does not allow this method on the requested resource'],
  [
    'admin',
    'PATCH',
    '/api/v1/namespaces/default/pods/p/log',
    undefined,
    405,
    'the server does not allow this method on the requested resource',
  ],
  ['admin', 'GET', '/api//', undefined, 200, ''],
  ['admin', 'GET', '/api/v1/nodes/n%256fde', undefined, 400, 'Name parameter invalid: "n%6fde": may not contain \'%\''],
  ['admin', 'PUT', `${whoAmI}/x`, {}, 404, 'the server could not find the requested resource'],
  // Nodes
  [
    'system:node:',
    'GET',
    '/api/v1/namespaces/default/secrets/s',
    undefined,
    403,
    /in the namespace "default": unknown node for user "system:node:"$/,
  ],
  [
    'stray',
    'GET',
    '/api/v1/namespaces/default/secrets/s',
    undefined,
    403,
    /cannot get resource "secrets" in API group "" in the namespace "default"$/,
  ],
  [
    'system:node:',
    'POST',
    whoAmI,
    review,
    403,
    'selfsubjectreviews.authentication.k8s.io "Unknown" is forbidden: could not determine node from user "system:node:"',
  ],
  [
    'system:node:one',
    'POST',
    csrs,
    csr('kubernetes.io/kube-apiserver-client-kubelet', 'system:node:two'),
    403,
    'certificatesigningrequests.certificates.k8s.io "fresh" is forbidden: can only create a node CSR with CN=system:node:one',
  ],
  ['system:node:one', 'POST', `${csrs}?dryRun=All`, csr('kubernetes.io/kube-apiserver-client-kubelet', 'system:node:one'), 201, ''],
  [
    'system:node:one',
    'POST',
    '/api/v1/namespaces/default/pods/nowhere/eviction',
    { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'other' } },
    404,
    'pod "nowhere" not found',
  ],
  [
    'system:node:one',
    'PATCH',
    '/api/v1/nodes/one',
    { metadata: { labels: { 'x.node-restriction.kubernetes.io/a': 'b' } } },
    403,
    'nodes "one" is forbidden: is not allowed to modify labels: x.node-restriction.kubernetes.io/a',
  ],
  [
    'system:node:one',
    'GET',
    '/api/v1/configmaps?watch=true',
    undefined,
    403,
    /"configmaps" in API group "" at the cluster scope: can only read namespaced object of this type$/,
  ],
  // Priority classes and options
  [
    'admin',
    'DELETE',
    '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical',
    undefined,
    403,
    'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
  ],
  ['admin', 'POST', '/api/v1/namespaces?dryRun=', {}, 422, /dryRun: Unsupported value: \[""\]: supported values: "All"$/],
  // Bindings to roles that are not there
  ['binder', 'POST', bindings, binding({ name: 'nowhere' }), 404, 'rolebindings.rbac.authorization.k8s.io "nowhere" not found'],
  ['binder', 'POST', bindings, binding({ name: '' }), 400, 'Name parameter required.'],
  ['binder', 'POST', bindings, binding({ name: 'a/b' }), 400, 'Name parameter invalid: "a/b": may not contain \'/\''],
  ['binder', 'POST', bindings, binding({ kind: 'Thing' }), 500, 'unsupported role reference kind: "Thing"'],
  // Tokens
  [
    'admin',
    'POST',
    `${accounts}/default/token`,
    token({ name: 'other' }),
    422,
    'TokenRequest.authentication.k8s.io "default" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
  ],
  ['admin', 'POST', '/api/v1/namespaces/nowhere/serviceaccounts/x/token', token({}), 404, 'namespaces "nowhere" not found'],
  [
    'admin',
    'POST',
    `${accounts}/default/token`,
    token({}, { expirationSeconds: 0 }),
    422,
    /Invalid value: 0: may not specify a duration less than/,
  ],
  [
    'admin',
    'POST',
    `${accounts}/default/token`,
    token({}, { boundObjectRef: { apiVersion: 'apps/v1', kind: 'Pod', name: 'x' } }),
    400,
    'cannot bind token to object of type apps/v1, Kind=Pod',
  ],
  // Names of signers
  [
    'eve',
    'POST',
    csrs,
    csr('kubernetes.io/legacy-unknown'),
    422,
    /is invalid: spec.signerName: [^:]+: "kubernetes.io\/legacy-unknown": the legacy/,
  ],
  ['eve', 'POST', csrs, csr('Example.com/x'), 422, /Invalid value: "Example.com": validating label "Example": a lowercase RFC 1123 label/],
  ['eve', 'POST', csrs, csr('example.com/X'), 422, /Invalid value: "X": validating label "X": a lowercase RFC 1123 subdomain/],
  [
    'eve',
    'POST',
    csrs,
    csr(`${'a'.repeat(250)}.com/x`),
    422,
    /\[spec.signerName: Too long: may not be more than 253 bytes, spec.signerName: /,
  ],
];

describe('verdicts', function () {
  this.timeout(60_000);
  let complete: CompleteServer;
  before(async () => {
    complete = await startCompleteServer();
    const { admin } = complete;
    await admin(nodes).create({ metadata: { name: 'one' } });
    await admin(secrets).create({ metadata: { namespace: 'default', name: 's' } });
    const rules = [
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['create'] },
      { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create'] },
    ];
    await admin(clusterRoles).create({ metadata: { name: 'maker' }, rules });
    await admin(clusterRoleBindings).create({
      metadata: { name: 'makers' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'maker' },
      subjects: ['eve', 'binder'].map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
    });
    await eventually('the role to be known', async () => {
      const [, , target, body] = table.find(([who]) => who === 'binder') ?? [];
      return (await callerOf('binder').call('POST', target ?? '', { body })).status !== 403;
    });
  });
  after(() => complete.close());

  const callerOf = (name: string) => createAPICaller(complete.server.transport, { name, groups: [...(people[name] ?? [])] });

  for (const [who, method, target, body, status, message] of table)
    it(`${who}: ${method} ${target} ${JSON.stringify(body ?? '').slice(0, 80)}: ${status}`, async () => {
      const answer = await callerOf(who).call<{ message?: string }>(method, target, {
        ...(body === undefined ? {} : { body }),
        ...(method === 'PATCH' && body !== undefined ? { contentType: 'application/merge-patch+json' } : {}),
      });
      assert.equal(answer.status, status, answer.text);
      if (message === '') return;
      const said = answer.text.startsWith('{') ? (answer.body.message ?? '') : answer.text;
      if (typeof message === 'string') assert.equal(said, message);
      else assert.match(said, message);
    });

  it('certificates that are handed out are certificates', async () => {
    const { admin } = complete;
    await admin(certificateSigningRequests).create({ metadata: { name: 'asked' }, spec: csr('example.com/x').spec });
    const sign = (text: string) =>
      callerOf('admin').patch(`${csrs}/asked/status`, 'merge', { status: { certificate: Buffer.from(text).toString('base64') } });
    const problem = async (text: string) => (await sign(text)).body['message'];
    const start =
      'CertificateSigningRequest.certificates.k8s.io "asked" is invalid: status.certificate: Invalid value: "<certificate data>":';
    assert.equal(await problem('x'), `${start} must contain at least one CERTIFICATE PEM block`);
    const block = (type: string, body: string) => `-----BEGIN ${type}-----\n${body}\n-----END ${type}-----\n`;
    assert.equal(await problem(block('KEY', 'YQ==')), `${start} only CERTIFICATE PEM blocks are allowed, found "KEY"`);
    assert.equal(await problem(block('CERTIFICATE', 'a: b\n\nYQ==')), `${start} no PEM block headers are permitted`);
    assert.equal(await problem(block('CERTIFICATE', 'YQ==')), `${start} x509: malformed certificate`);
    assert.equal((await sign(complete.server.clusterCA.certificatePEM)).status, 200);
    assert.match(String(await problem('x')), /updates may not modify existing certificate content/);
  });

  it('an approval may be worded anew by approvers, and is not taken back', async () => {
    const approve = (conditions: object[]) => callerOf('admin').patch(`${csrs}/asked/approval`, 'merge', { status: { conditions } });
    assert.equal((await approve([{ type: 'Approved', status: 'True', message: 'a' }])).status, 200);
    assert.equal((await approve([{ type: 'Approved', status: 'True', message: 'b' }])).status, 200);
    assert.match((await approve([])).text, /updates may not remove a condition of type \\"Approved\\"/);
  });
});
