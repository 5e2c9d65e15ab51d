import type { AuditRuleFacts } from '../check-facts.ts';
import { type CheckItem, fail, notApplicable, notJudged, pass, type Verdict, warn } from '../check-item.ts';
import { bySettings, judgeTLS, sourceText, textOf } from '../setting-judges.ts';

const hasPlugin = (name: string, why: string): CheckItem['judge'] =>
  bySettings((settings) =>
    settings.admissionPlugins.includes(name)
      ? pass(why, { evidence: [`${sourceText(settings)}: ${name} runs`] })
      : fail(`the admission plugin ${name} is off`, `take ${name} out of --disable-admission-plugins`),
  );

const wantsPlugin = (name: string, advice: string): CheckItem['judge'] =>
  bySettings((settings) =>
    settings.admissionPlugins.includes(name)
      ? pass(`the admission plugin ${name} runs`, { evidence: [sourceText(settings)] })
      : warn(`the admission plugin ${name} does not run`, advice),
  );

const auditLimit = (name: string, flag: string, least: number, unit: string): CheckItem['judge'] =>
  bySettings((settings) => {
    if (!isAudited(settings.values)) return fail('nothing is audited: there is no log that could be kept', 'see 1.2.16');
    const value = Number(settings.values[name] ?? 0);
    const evidence = [`${flag}=${value}`];
    if (value >= least) return pass(`the audit log is kept for ${value} ${unit}`, { evidence });
    if (value === 0 && flag !== '--audit-log-maxsize') return pass(`${flag}=0 keeps old logs without such a limit`, { evidence });
    return fail(`${flag} is less than ${least}`, `${flag}=${least}`, { evidence });
  });

const isAudited = (values: Readonly<Record<string, unknown>>) => Boolean(values['auditPolicyFile']) && Boolean(values['auditLogPath']);
const auditAdvice =
  'start kubets with --audit-policy-file and --audit-log-path, and with --audit-log-maxage 30 --audit-log-maxbackup 10 --audit-log-maxsize 100 (docs/audit.md has a policy)';

const always = (why: string): CheckItem['judge'] => bySettings(() => pass(why));

const authorizers = bySettings((settings): Verdict => {
  const modes = textOf(settings, 'authorizationMode');
  const configuration = textOf(settings, 'authorizationConfig');
  if (configuration !== undefined)
    return warn(`--authorization-config decides: ${configuration}`, `see that it names no AlwaysAllow in ${configuration}`);
  if (modes === undefined) return pass('kubets authorizes by Node and RBAC, in this order');
  return modes.split(',').includes('AlwaysAllow')
    ? fail('every request is allowed', '--authorization-mode=Node,RBAC', { evidence: [`--authorization-mode=${modes}`] })
    : pass('AlwaysAllow is not among the authorizers', { evidence: [`--authorization-mode=${modes}`] });
});

const includesAuthorizer = (name: string) =>
  bySettings((settings): Verdict => {
    const modes = textOf(settings, 'authorizationMode');
    const configuration = textOf(settings, 'authorizationConfig');
    if (configuration !== undefined) return warn(`--authorization-config decides: ${configuration}`, `see that it names ${name}`);
    if (modes === undefined) return pass(`kubets authorizes by Node and RBAC, in this order`);
    return modes.split(',').includes(name)
      ? pass(`${name} is among the authorizers`, { evidence: [`--authorization-mode=${modes}`] })
      : fail(`${name} is not among the authorizers`, '--authorization-mode=Node,RBAC', { evidence: [`--authorization-mode=${modes}`] });
  });

const encrypts = bySettings((settings): Verdict => {
  if (textOf(settings, 'encryptionProviderConfig') === undefined)
    return warn('Secrets lie in the store as they are', 'start kubets with --encryption-provider-config (docs/encryption.md)');
  const rules = settings.encryption;
  if (!rules) return notJudged('the EncryptionConfiguration cannot be read', 'see the file that --encryption-provider-config names');
  const rule = rules.find(({ resources }) => resources.some((one) => ['secrets', '*.', '*.*'].includes(one)));
  return rule && rule.providers[0] !== 'identity'
    ? pass('Secrets are encrypted', { evidence: [`${rule.resources.join()}: ${rule.providers.join()}`] })
    : fail('the EncryptionConfiguration does not encrypt Secrets', 'name secrets in it, with a provider other than identity in front');
});

const strongProviders = bySettings((settings): Verdict => {
  const rules = settings.encryption;
  if (textOf(settings, 'encryptionProviderConfig') === undefined || !rules)
    return warn('nothing is encrypted, or the EncryptionConfiguration cannot be read', 'see 1.2.27');
  const weak = rules.filter(({ providers }) => !['kms', 'secretbox', 'aesgcm'].includes(providers[0] ?? ''));
  const evidence = rules.map(({ resources, providers }) => `${resources.join()}: ${providers.join()}`);
  return weak.length === 0
    ? pass('the first provider of each rule authenticates what it encrypts', { evidence })
    : warn('a rule writes with aescbc or identity', 'put kms, secretbox or aesgcm in front', { evidence });
});

const anonymous: CheckItem['judge'] = (facts) => {
  if (facts.server) {
    const evidence = [`GET ${facts.server.address}/api/v1/pods without credentials: ${facts.server.anonymousStatus}`];
    if (facts.server.anonymousStatus === 401) return pass('requests without credentials are answered 401', { evidence });
    const advice =
      '--anonymous-auth=false; machines that join then need --ca-hash and the CA beforehand, and probes of /healthz, /livez and /readyz need credentials';
    if (facts.server.anonymousStatus === 403)
      return warn('requests without credentials are system:anonymous, who may ask for versions and health alone', advice, { evidence });
    return fail('requests without credentials are answered', advice, { evidence });
  }
  return bySettings((settings) =>
    settings.values['anonymousAuth'] === false
      ? pass('--anonymous-auth=false')
      : warn('--anonymous-auth is true: requests without credentials are system:anonymous', '--anonymous-auth=false'),
  )(facts);
};

const profiling: CheckItem['judge'] = (facts) =>
  facts.server
    ? facts.server.profilingStatus === 404
      ? pass('no profiles are served', { evidence: [`GET ${facts.server.address}/debug/pprof/ by the administrator: 404`] })
      : fail('profiles are served', '--profiling=false', { evidence: [`/debug/pprof/: ${facts.server.profilingStatus}`] })
    : notJudged('no API server answers', 'start kubets and check again');

/** Section 1.2. */
export const apiServer: readonly CheckItem[] = [
  { id: '1.2.1', title: 'Requests without credentials are not served', judge: anonymous },
  {
    ...{ id: '1.2.2', title: 'No file of static tokens is in use' },
    judge: bySettings((settings) => {
      const file = textOf(settings, 'tokenAuthFile');
      return file === undefined
        ? pass('there is no --token-auth-file')
        : fail('tokens of a file never expire', 'use OIDC, client certificates or tokens of ServiceAccounts', { evidence: [file] });
    }),
  },
  {
    ...{ id: '1.2.3', title: 'Services cannot claim external IPs (DenyServiceExternalIPs)' },
    judge: wantsPlugin(
      'DenyServiceExternalIPs',
      '--enable-admission-plugins=DenyServiceExternalIPs, unless Services with externalIPs are in use',
    ),
  },
  {
    ...{ id: '1.2.4', title: 'The API server has a client certificate for kubelets' },
    judge: (facts) => {
      const found = facts.files.find(({ path }) => path.endsWith('/apiserver-kubelet-client.crt'));
      if (!facts.hasControlPlane) return notApplicable('this data directory has no control plane');
      return found
        ? pass('it calls kubelets as kube-apiserver-kubelet-client', { evidence: [found.path] })
        : fail('its client certificate for kubelets is missing', 'start kubets: it makes one');
    },
  },
  {
    ...{ id: '1.2.5', title: 'The API server verifies the certificates of kubelets' },
    judge: bySettings((settings, { dataDirectory }) => {
      const file = textOf(settings, 'kubeletCertificateAuthority');
      return file === undefined
        ? fail(
            'certificates that kubelets serve with are not verified: who takes the address of a node over reads logs and sessions of exec',
            `--kubelet-certificate-authority ${dataDirectory}/pki/ca.crt, unless kubelets with certificates of their own have joined`,
          )
        : pass('certificates of kubelets must be signed by this authority', { evidence: [file] });
    }),
  },
  { id: '1.2.6', title: 'Not every request is allowed (AlwaysAllow)', judge: authorizers },
  { id: '1.2.7', title: 'The Node authorizer is in use', judge: includesAuthorizer('Node') },
  { id: '1.2.8', title: 'RBAC is in use', judge: includesAuthorizer('RBAC') },
  {
    ...{ id: '1.2.9', title: 'The rate of Events is limited (EventRateLimit)' },
    judge: wantsPlugin('EventRateLimit', 'kubets has no such plugin; API Priority and Fairness bounds what one client may send'),
  },
  {
    ...{ id: '1.2.10', title: 'The admission plugin AlwaysAdmit is off' },
    judge: bySettings((settings) =>
      settings.admissionPlugins.includes('AlwaysAdmit')
        ? fail('it admits everything', 'take it out of --enable-admission-plugins')
        : pass('it does not run'),
    ),
  },
  {
    ...{ id: '1.2.11', title: 'Images are pulled with the rights of each Pod (AlwaysPullImages)' },
    judge: wantsPlugin(
      'AlwaysPullImages',
      '--enable-admission-plugins=AlwaysPullImages where users of the cluster do not trust each other',
    ),
  },
  { id: '1.2.12', title: 'The admission plugin ServiceAccount is on', judge: hasPlugin('ServiceAccount', 'Pods get short-lived tokens') },
  {
    ...{ id: '1.2.13', title: 'The admission plugin NamespaceLifecycle is on' },
    judge: hasPlugin('NamespaceLifecycle', 'nothing is made in namespaces that do not exist'),
  },
  {
    ...{ id: '1.2.14', title: 'The admission plugin NodeRestriction is on' },
    judge: hasPlugin('NodeRestriction', 'a node changes its own objects alone'),
  },
  { id: '1.2.15', title: 'The API server serves no profiles', judge: profiling },
  {
    ...{ id: '1.2.16', title: 'There is an audit log' },
    judge: bySettings((settings) =>
      isAudited(settings.values)
        ? pass('requests are audited', { evidence: [`--audit-log-path=${String(settings.values['auditLogPath'])}`] })
        : fail('nothing is audited', auditAdvice),
    ),
  },
  { id: '1.2.17', title: 'Old audit logs are kept for 30 days', judge: auditLimit('auditLogMaxage', '--audit-log-maxage', 30, 'days') },
  { id: '1.2.18', title: 'Ten old audit logs are kept', judge: auditLimit('auditLogMaxbackup', '--audit-log-maxbackup', 10, 'files') },
  {
    id: '1.2.19',
    title: 'An audit log is rotated at 100 MB',
    judge: auditLimit('auditLogMaxsize', '--audit-log-maxsize', 100, 'megabytes each'),
  },
  {
    ...{ id: '1.2.20', title: 'Requests end in time' },
    judge: bySettings((settings) => {
      const ms = Number(settings.values['requestTimeout'] ?? 0);
      const evidence = [`--request-timeout=${ms / 1000}s`];
      return ms > 0 && ms <= 300_000
        ? pass('requests other than watches are ended in time', { evidence })
        : warn('requests may take very long', '--request-timeout=60s', { evidence });
    }),
  },
  {
    ...{ id: '1.2.21', title: 'Tokens of deleted ServiceAccounts are refused' },
    judge: always(
      'the ServiceAccount, and the object that a token is bound to, are looked up for every token; there is no flag against it',
    ),
  },
  {
    ...{ id: '1.2.22', title: 'Tokens of ServiceAccounts are verified with a key of their own' },
    judge: (facts) =>
      facts.hasControlPlane
        ? facts.files.some(({ path }) => path.endsWith('/sa.key'))
          ? pass('tokens are signed and verified with sa.key, which signs nothing else', {
              evidence: [`${facts.dataDirectory}/pki/sa.key`],
            })
          : fail('sa.key is missing', `restore ${facts.dataDirectory}/pki from a backup`)
        : notApplicable('this data directory has no control plane'),
  },
  {
    ...{ id: '1.2.23', title: 'The API server has a client certificate for etcd' },
    judge: bySettings((settings, { etcd }) => {
      if (!etcd) return notApplicable('there is no etcd: the store is a part of the process');
      return textOf(settings, 'etcdCert') && textOf(settings, 'etcdKey')
        ? pass('--etcd-cert and --etcd-key are given', { evidence: etcd.endpoints })
        : fail('kubets has no certificate for etcd', '--etcd-cert and --etcd-key');
    }),
  },
  {
    ...{ id: '1.2.24', title: 'The API server serves by TLS' },
    judge: ({ server, hasControlPlane }) =>
      hasControlPlane
        ? server
          ? pass('it answers https alone; its certificate is <data-dir>/pki/apiserver.crt', { evidence: [server.address] })
          : notJudged('no API server answers', 'start kubets and check again')
        : notApplicable('this data directory has no control plane'),
  },
  {
    ...{ id: '1.2.25', title: 'Client certificates are verified by an authority' },
    judge: (facts) =>
      facts.hasControlPlane
        ? pass("client certificates must be signed by the cluster's authority", { evidence: [`${facts.dataDirectory}/pki/ca.crt`] })
        : notApplicable('this data directory has no control plane'),
  },
  {
    ...{ id: '1.2.26', title: 'The API server verifies the certificate of etcd' },
    judge: bySettings((settings, { etcd }) => {
      if (!etcd) return notApplicable('there is no etcd: the store is a part of the process');
      return textOf(settings, 'etcdCa')
        ? pass('--etcd-ca is given')
        : fail('the certificate of etcd is verified by the authorities of Node.js alone', '--etcd-ca');
    }),
  },
  { id: '1.2.27', title: 'Secrets are encrypted in the store', judge: encrypts },
  { id: '1.2.28', title: 'Values in the store are encrypted by a strong provider', judge: strongProviders },
  {
    ...{ id: '1.2.29', title: 'The API server takes strong ciphers alone' },
    judge: ({ server, hasControlPlane }) =>
      hasControlPlane
        ? judgeTLS(server?.tls, 'the API server', '--tls-min-version and --tls-cipher-suites')
        : notApplicable('this data directory has no control plane'),
  },
  {
    ...{ id: '1.2.30', title: 'Tokens of Pods are not valid for longer than was asked for' },
    judge: bySettings((settings) =>
      settings.values['serviceAccountExtendTokenExpiration'] === true
        ? fail('tokens of Pods are valid for a year', '--service-account-extend-token-expiration=false')
        : pass('tokens are valid for as long as was asked for: kubets extends none'),
    ),
  },
];

const sensitive = ['secrets', 'configmaps', 'tokenreviews', 'serviceaccounts/token'];

/** The rules of an audit policy that record content which must not be in a log. */
export function leakyRules(rules: readonly AuditRuleFacts[]): AuditRuleFacts[] {
  return rules.filter(
    ({ level, resources }) => ['Request', 'RequestResponse'].includes(level) && resources.some((one) => sensitive.includes(one)),
  );
}
