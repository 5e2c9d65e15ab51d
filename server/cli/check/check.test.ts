import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { benchmark, runBenchmark } from './benchmark.ts';
import type { CheckFacts, ClusterFacts, FileFacts, NodeFacts, SettingsFacts } from './check-facts.ts';
import { type CheckResult, isSelected, type Selection } from './check-item.ts';
import { checkDocument, countResults, formatCheck } from './format-check.ts';
import { allows } from './sections/access.ts';

const everything: Selection = { sections: [] };

const settings: SettingsFacts = {
  source: 'process',
  values: { anonymousAuth: true, requestTimeout: 60_000, podNetwork: 'host-gw', storage: { kind: 'embedded' }, auditLogMaxsize: 100 },
  admissionPlugins: ['NamespaceLifecycle', 'ServiceAccount', 'NodeRestriction', 'PodSecurity'],
  controllers: ['*'],
  podSecurityDefault: 'privileged',
};
const configz = {
  ...{
    authorization: { mode: 'Webhook' },
    authentication: { x509: { clientCAFile: '/d/pki/ca.crt' } },
    tlsCertFile: '/d/pki/kubelet-n.crt',
  },
  ...{ streamingConnectionIdleTimeout: '4h0m0s', eventRecordQPS: 0, rotateCertificates: true, serverTLSBootstrap: true },
  ...{ podPidsLimit: 4096, seccompDefault: true },
};
const tls = { oldVersions: [], weakCiphers: [] };
const node: NodeFacts = { name: 'n', isLocal: true, configz, anonymousStatus: 401, tls, openPorts: [] };
const cluster: ClusterFacts = {
  ...{ clusterRoles: [], roles: [], clusterRoleBindings: [], roleBindings: [], pods: [], serviceAccounts: [], networkPolicies: [] },
  namespaces: [
    { metadata: { name: 'default', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    { metadata: { name: 'kube-system' } },
  ],
  ...{ tokenSecrets: [], bootstrapTokens: [], policyControls: [] },
};
const file = (role: FileFacts['role'], path: string, mode: number, more: Partial<FileFacts> = {}): FileFacts => ({
  ...{ path, role, mode, isDirectory: false, owner: 'root', group: 'root', ...more },
});
const facts = (more: Partial<CheckFacts> = {}): CheckFacts => ({
  ...{ dataDirectory: '/d', owner: 'root', hasControlPlane: true, hasNode: true, problems: [], settings, nodes: [node], cluster },
  files: [file('key', '/d/pki/sa.key', 0o600), file('certificate', '/d/pki/apiserver-kubelet-client.crt', 0o644)],
  server: { ...{ address: 'https://127.0.0.1:6443', anonymousStatus: 401, profilingStatus: 404, tls, openComponentPorts: [] } },
  ...more,
});
const resultOf = (id: string, of: CheckFacts) => runBenchmark(of, { sections: [id] })[0]?.result;
const withSettings = (values: object, more: Partial<SettingsFacts> = {}) =>
  facts({ settings: { ...settings, ...more, values: { ...settings.values, ...values } } });
const withNode = (more: Partial<NodeFacts>) => facts({ nodes: [{ ...node, ...more }] });
const withConfiguration = (more: object) => withNode({ configz: { ...configz, ...more } });
const withCluster = (more: Partial<ClusterFacts>) => facts({ cluster: { ...cluster, ...more } });
const bound = (name: string, rule: object): Partial<ClusterFacts> => ({
  clusterRoles: [{ metadata: { name }, rules: [{ apiGroups: [''], resources: [], verbs: [], ...rule }] }],
  clusterRoleBindings: [
    {
      ...{ metadata: { name: 'b' }, subjects: [{ kind: 'User', name: 'jane' }] },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    },
  ],
});
const pod = (spec: object, metadata: object = {}) => ({
  ...{ metadata: { name: 'p', namespace: 'web', ...metadata }, spec: { containers: [{ name: 'c' }], ...spec } },
});
const withPod = (spec: object) => withCluster({ namespaces: [{ metadata: { name: 'web' } }], pods: [pod(spec)] });

describe('kubets check', () => {
  it('has every control of the benchmark once, in order', () => {
    const counts = Map.groupBy(benchmark, ({ id }) => id.slice(0, id.lastIndexOf('.')));
    const expected = { '1.1': 21, '1.2': 30, '1.3': 7, '1.4': 2, '2': 7, '3.1': 3, '3.2': 2, '4.1': 10, '4.2': 14, '4.3': 1 };
    const policies = { '5.1': 13, '5.2': 12, '5.3': 2, '5.4': 2, '5.5': 1, '5.6': 4 };
    assert.deepEqual(Object.fromEntries([...counts].map(([section, items]) => [section, items.length])), { ...expected, ...policies });
    for (const [section, items] of counts)
      assert.deepEqual(
        items.map(({ id }) => id),
        items.map((_, index) => `${section}.${index + 1}`),
      );
  });

  const cases: [id: string, what: string, facts: CheckFacts, result: CheckResult][] = [
    ['1.1.11', 'a store that others may enter', facts({ files: [file('storage', '/d/storage', 0o755, { isDirectory: true })] }), 'FAIL'],
    ['1.1.11', 'a store of its owner alone', facts({ files: [file('storage', '/d/storage', 0o700, { isDirectory: true })] }), 'PASS'],
    ['1.1.11', 'no store', facts({ files: [] }), 'NOT APPLICABLE'],
    ['1.1.12', "a store of somebody else's", facts({ files: [file('storage', '/d/storage', 0o700, { owner: 'mallory' })] }), 'FAIL'],
    [
      '1.1.12',
      'a store of the user that runs kubets',
      facts({ owner: 'jane', files: [file('storage', '/d/s', 0o700, { owner: 'jane' })] }),
      'PASS',
    ],
    ['1.1.13', 'a kubeconfig that others read', facts({ files: [file('admin-kubeconfig', '/d/admin.kubeconfig', 0o640)] }), 'FAIL'],
    ['1.1.20', 'a certificate that others read', facts({ files: [file('certificate', '/d/pki/ca.crt', 0o644)] }), 'PASS'],
    ['1.1.21', 'a key that others read', facts({ files: [file('key', '/d/pki/ca.key', 0o644)] }), 'FAIL'],
    ['1.2.1', '401', facts(), 'PASS'],
    ['1.2.1', '403', facts({ server: { ...serverOf(facts()), anonymousStatus: 403 } }), 'WARN'],
    ['1.2.1', '200', facts({ server: { ...serverOf(facts()), anonymousStatus: 200 } }), 'FAIL'],
    ['1.2.5', 'kubelets that nobody verifies', facts(), 'FAIL'],
    ['1.2.5', 'an authority', withSettings({ kubeletCertificateAuthority: '/d/pki/ca.crt' }), 'PASS'],
    ['1.2.6', 'AlwaysAllow', withSettings({ authorizationMode: 'Node,AlwaysAllow' }), 'FAIL'],
    ['1.2.8', 'no RBAC', withSettings({ authorizationMode: 'Node' }), 'FAIL'],
    ['1.2.14', 'no NodeRestriction', withSettings({}, { admissionPlugins: [] }), 'FAIL'],
    ['1.2.15', 'profiles', facts({ server: { ...serverOf(facts()), profilingStatus: 200 } }), 'FAIL'],
    ['1.2.16', 'no audit', facts(), 'FAIL'],
    ['1.2.16', 'a log', withSettings({ auditPolicyFile: '/p', auditLogPath: '/l' }), 'PASS'],
    ['1.2.17', 'a log for a day', withSettings({ auditPolicyFile: '/p', auditLogPath: '/l', auditLogMaxage: 1 }), 'FAIL'],
    ['1.2.19', 'a log of 10 MB', withSettings({ auditPolicyFile: '/p', auditLogPath: '/l', auditLogMaxsize: 10 }), 'FAIL'],
    ['1.2.27', 'plain Secrets', facts(), 'WARN'],
    [
      '1.2.27',
      'encrypted Secrets',
      withSettings({ encryptionProviderConfig: '/e' }, { encryption: [{ resources: ['secrets'], providers: ['aesgcm', 'identity'] }] }),
      'PASS',
    ],
    [
      '1.2.27',
      'Secrets that identity writes',
      withSettings({ encryptionProviderConfig: '/e' }, { encryption: [{ resources: ['secrets'], providers: ['identity'] }] }),
      'FAIL',
    ],
    ['1.2.29', 'TLS 1.1', facts({ server: { ...serverOf(facts()), tls: { oldVersions: ['TLSv1.1'], weakCiphers: [] } } }), 'WARN'],
    ['1.3.1', 'a controller that is left out', withSettings({}, { controllers: ['*', '-pod-garbage-collector-controller'] }), 'FAIL'],
    ['1.3.7', 'another controller manager', facts({ server: { ...serverOf(facts()), openComponentPorts: [10257] } }), 'FAIL'],
    ['2.1', 'an embedded store', facts(), 'NOT APPLICABLE'],
    ['2.1', 'etcd without TLS', facts({ etcd: { endpoints: ['http://e'], plain: ['http://e'], open: ['http://e'] } }), 'FAIL'],
    ['2.2', 'etcd that asks for certificates', facts({ etcd: { endpoints: ['https://e'], plain: [], open: [] } }), 'PASS'],
    [
      '2.7',
      "etcd with the cluster's authority",
      facts({ etcd: { endpoints: ['https://e'], plain: [], open: [], sharesAuthority: true } }),
      'WARN',
    ],
    ['3.1.2', 'a token for ever', withCluster({ tokenSecrets: ['default/t'] }), 'WARN'],
    ['3.2.2', 'a policy that logs Secrets', withSettings({}, { auditRules: [{ level: 'Request', resources: ['secrets'] }] }), 'FAIL'],
    ['3.2.2', 'a policy of all by Metadata', withSettings({}, { auditRules: [{ level: 'Metadata', resources: [] }] }), 'PASS'],
    ['4.1.1', 'a unit file that all read', facts({ files: [file('unit', '/etc/systemd/system/kubets.service', 0o644)] }), 'FAIL'],
    ['4.2.1', 'a kubelet that answers anybody', withNode({ anonymousStatus: 200 }), 'FAIL'],
    ['4.2.4', 'a read-only port', withNode({ openPorts: [10255] }), 'FAIL'],
    ['4.2.2', 'AlwaysAllow', withConfiguration({ authorization: { mode: 'AlwaysAllow' } }), 'FAIL'],
    ['4.2.5', 'idle sessions for ever', withConfiguration({ streamingConnectionIdleTimeout: '0s' }), 'WARN'],
    ['4.2.13', 'Pods without a limit', withConfiguration({ podPidsLimit: -1 }), 'WARN'],
    ['4.2.14', 'no profile by default', withConfiguration({ seccompDefault: false }), 'WARN'],
    ['4.2.12', 'TLS 1.0', withNode({ tls: { oldVersions: ['TLSv1'], weakCiphers: [] } }), 'WARN'],
    ['4.2.1', 'no node', facts({ nodes: [] }), 'NOT APPLICABLE'],
    ['5.1.1', 'another administrator', withCluster(bound('cluster-admin', {})), 'WARN'],
    ['5.1.2', 'a reader of Secrets', withCluster(bound('r', { resources: ['secrets'], verbs: ['list'] })), 'WARN'],
    ['5.1.2', 'a reader of Pods', withCluster(bound('r', { resources: ['pods'], verbs: ['list'] })), 'PASS'],
    ['5.1.3', 'a wildcard', withCluster(bound('r', { resources: ['*'], verbs: ['get'] })), 'WARN'],
    ['5.1.10', 'nodes/proxy by a wildcard', withCluster(bound('r', { resources: ['*/proxy'], verbs: ['*'] })), 'WARN'],
    ['5.1.13', 'somebody who makes tokens', withCluster(bound('r', { resources: ['serviceaccounts/token'], verbs: ['create'] })), 'WARN'],
    ['5.2.2', 'a namespace that enforces restricted', facts(), 'PASS'],
    ['5.2.2', 'a privileged Pod', withPod({ containers: [{ name: 'c', securityContext: { privileged: true } }] }), 'WARN'],
    ['5.2.6', 'a namespace that enforces nothing', withCluster({ namespaces: [{ metadata: { name: 'web' } }] }), 'WARN'],
    ['5.3.2', 'a namespace without policies', facts(), 'WARN'],
    ['5.4.1', 'a Secret in an environment', withPod({ containers: [{ name: 'c', envFrom: [{ secretRef: { name: 's' } }] }] }), 'WARN'],
    ['5.6.2', 'a Pod without seccomp', withPod({}), 'WARN'],
    ['5.6.4', 'a Pod in default', withCluster({ pods: [pod({}, { namespace: 'default' })] }), 'WARN'],
  ];
  for (const [id, what, of, result] of cases) it(`${id}: ${what} is ${result}`, () => assert.equal(resultOf(id, of), result));

  it('says what it could not judge of a cluster that does not run', () => {
    const { cluster: _c, server: _s, ...rest } = facts({ nodes: [{ name: 'n', isLocal: true, problem: 'its agent does not run' }] });
    const items = runBenchmark({ ...rest, settings: { ...settings, source: 'unknown' } }, everything);
    assert.equal(items.length, benchmark.length);
    const unjudged = items.filter(({ isJudged }) => isJudged === false);
    assert.ok(unjudged.length > 60 && unjudged.every(({ result, why }) => result === 'WARN' && why.startsWith('could not be judged: ')));
    assert.ok(
      !items.some(({ id, result }) => /^(1\.2|4\.2|5)\./.test(id) && result === 'PASS' && !['1.2.4', '1.2.22', '1.2.25'].includes(id)),
    );
  });
  it('judges the nodes that answer, and names those that do not', () => {
    const [item] = runBenchmark(facts({ nodes: [node, { name: 'gone', isLocal: false, problem: 'no answer' }] }), { sections: ['4.2.1'] });
    assert.deepEqual([item?.result, item?.isJudged, item?.evidence], ['WARN', false, ['n: 401', 'gone: no answer']]);
  });

  const selections: [Selection, string, boolean][] = [
    [{ sections: [] }, '1.2.3', true],
    [{ sections: ['1.2'] }, '1.2.3', true],
    [{ sections: ['1.2.3'] }, '1.2.30', false],
    [{ sections: ['1'] }, '1.4.2', true],
    [{ sections: [], only: 'node' }, '4.1.1', true],
    [{ sections: [], only: 'node' }, '5.1.1', false],
    [{ sections: [], only: 'server' }, '4.1.1', false],
    [{ sections: ['4'], only: 'server' }, '1.1.1', false],
  ];
  for (const [selection, id, expected] of selections)
    it(`${JSON.stringify(selection)} ${expected ? 'has' : 'leaves out'} ${id}`, () =>
      assert.equal(isSelected({ id }, selection), expected));

  it('a rule for named objects alone counts for none', () =>
    assert.equal(
      allows(
        { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['one'] },
        { group: '', resources: ['secrets'], verbs: ['get'] },
      ),
      false,
    ));
  it('shows no control characters of others, and counts what it shows', () => {
    const items = runBenchmark(withCluster({ tokenSecrets: ['a/\u001B[31mb\n'] }), everything);
    const text = stripVTControlCharacters(formatCheck(items, [], process.stdout));
    assert.ok(/^ +a\/b $/m.test(text), 'the name is on one line, without its colour');
    const totals = countResults(items);
    assert.match(text, new RegExp(`^${totals.PASS} checks PASS\n${totals.FAIL} checks FAIL$`, 'm'));
    const document = JSON.parse(JSON.stringify(checkDocument(items, [], '/d'))) as {
      totals: Record<string, number>;
      checks: { judged: boolean }[];
    };
    assert.equal(
      document.checks.length,
      Object.values({ ...document.totals, notJudged: 0 }).reduce((sum, one) => sum + one, 0),
    );
    assert.ok(document.checks.every(({ judged }) => typeof judged === 'boolean'));
  });
});

function serverOf({ server }: CheckFacts): NonNullable<CheckFacts['server']> {
  assert.ok(server);
  return server;
}
