import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from '../../../api/base/logger.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { readAdmissionConfiguration } from '../../control-plane/read-admission-configuration.ts';
import type { AuthorizationFlags } from '../../apiserver/authorization/mode-flags.ts';
import type { TokenSetup } from '../../control-plane/authentication/plan-tokens.ts';
import type { OpenedAuthentication } from '../../control-plane/authentication/open-authentication.ts';
import { createLogger } from '../../control-plane/logger.ts';
import { oomScores, setOOMScore } from '../../../node-agent/linux/processes/oom-score.ts';
import { createPKIFiles } from '../../control-plane/pki-files.ts';
import type { StorageChoice } from '../../control-plane/store/open-storage.ts';
import type { ControlPlane } from '../../control-plane/start-control-plane.ts';
import { type DataDir, findInstance, type Instance, removeInstance, writeFileAtomically, writeInstance } from '../data-dir/data-dir.ts';
import { syncKubeconfigs } from '../certs/certs-kubeconfigs.ts';
import { formatKubeconfig } from '../data-dir/kubeconfig.ts';
import type { ControlPlaneFlags } from '../flags/options.ts';
import type { Progress } from '../terminal/progress.ts';
import { followKubeletCA } from './follow-kubelet-ca.ts';
import { releaseIdleMemory } from './release-idle-memory.ts';

export const clusterDomain = 'cluster.local';

/** Starts the control plane with the flags, writes the admin kubeconfig and the record by which other commands find it. */
export async function startFromFlags(flags: ControlPlaneFlags, dataDir: DataDir, progress: Progress): Promise<ControlPlane> {
  const running = findInstance(dataDir.path);
  // A note without an identity may mean any process by now: then the lock of the store and the port decide.
  if (running?.identity !== undefined)
    throw new Error(
      `a kubets is running on ${dataDir.path} already (process ${running.pid}, ${running.server}); stop it first, or choose another --data-dir and --port`,
    );
  // Loaded only here: nodes and the other commands do without a control plane.
  const { startControlPlane } = await import('../../control-plane/start-control-plane.ts');
  const logger = createLogger(flags.logLevel);
  const audit = await openAudit(flags, logger);
  const authorization = await openAuthorizers(flags, logger);
  const { tokens, authentication } = await openAuthentication(flags, logger);
  const endpoint = await openEndpoint(flags, logger);
  const { kubeletCertificateAuthority: kubeletCAFile } = flags;
  const kubeletCA = kubeletCAFile === undefined ? undefined : followKubeletCA(kubeletCAFile, { clock: systemClock, logger });
  const controlPlane = await startControlPlane({
    ...(audit ? { audit } : {}),
    ...(authorization ? { authorization } : {}),
    ...{ authentication, tokens },
    ...endpoint,
    storage: withCredentials(flags),
    storageDirectory: dataDir.storage,
    ...encryption(flags),
    pkiDirectory: dataDir.pki,
    bindAddress: flags.bindAddress,
    port: flags.port,
    ...(flags.advertiseAddress === undefined ? {} : { advertiseAddress: flags.advertiseAddress }),
    ...(kubeletCA === undefined ? {} : { kubeletCAPEM: kubeletCA.authorities }),
    serviceCIDRs: flags.serviceCidr,
    clusterCIDR: flags.clusterCidr,
    nodeCIDRMaskSize: flags.nodeCidrMaskSize,
    nodeCIDRMaskSizeIPv6: flags.nodeCidrMaskSizeIpv6,
    podNetwork: flags.podNetwork,
    nodeMonitorGraceMs: flags.nodeMonitorGracePeriod,
    clusterDomain,
    controllers: flags.controllers,
    scheduler: flags.scheduler,
    ...(flags.admissionControlConfigFile === undefined
      ? {}
      : { pluginConfigurations: readAdmissionConfiguration(flags.admissionControlConfigFile) }),
    ...(flags.leaderElect === undefined ? {} : { leaderElect: flags.leaderElect }),
    metricsAPI: flags.metricsApi,
    localStorage: flags.localStorage,
    limits: {
      maxRequestsInflight: flags.maxRequestsInflight,
      maxMutatingRequestsInflight: flags.maxMutatingRequestsInflight,
      requestTimeoutMs: flags.requestTimeout,
      minRequestTimeoutSeconds: flags.minRequestTimeout,
      shutdownDelayMs: flags.shutdownDelayDuration,
    },
    admissionPlugins: { enable: flags.enableAdmissionPlugins, disable: flags.disableAdmissionPlugins },
    logger,
    onProgress: progress.done,
  }).catch((error: unknown) => {
    throw explainStartFailure(error, flags);
  });
  releaseIdleMemory(systemClock);
  await setOOMScore('self', oomScores.controlPlane).catch(() => undefined); // not root, or in a container
  makeFindable(controlPlane, flags, dataDir, { progress, logger });
  return {
    ...controlPlane,
    stop: () =>
      controlPlane.stop().finally(() => {
        kubeletCA?.stop();
        removeInstance(dataDir.path);
      }),
  };
}

/** Writes the kubeconfigs, which follow changed certificates, and the record by which other commands find the control plane. */
function makeFindable(
  controlPlane: ControlPlane,
  flags: ControlPlaneFlags,
  dataDir: DataDir,
  { progress, logger }: { readonly progress: Progress; readonly logger: Logger },
): void {
  const server = `https://127.0.0.1:${controlPlane.port}`;
  const { admin, clusterCA } = controlPlane.pki.get();
  const kubeconfig = formatKubeconfig({ server, ca: clusterCA.certificatePEM, certificate: admin.certificatePEM, key: admin.keyPEM });
  writeFileAtomically(dataDir.adminKubeconfig, kubeconfig, 0o600);
  if (flags.kubeconfig !== undefined) writeFileSync(path.resolve(flags.kubeconfig), kubeconfig, { mode: 0o600 });
  const problem = writeInstance(dataDir.path, {
    pid: process.pid,
    server,
    kubeconfig: flags.kubeconfig === undefined ? dataDir.adminKubeconfig : path.resolve(flags.kubeconfig),
    ...etcdFiles(flags),
    ...servingFiles(flags),
  });
  if (problem !== undefined) progress.fail(`other commands will not find this cluster: ${problem}`);
  const files = createPKIFiles(dataDir.pki);
  controlPlane.pki.onChange(() => {
    const sync = async () => syncKubeconfigs(dataDir, await files.readAll());
    sync().catch((error: unknown) => logger.error('kubeconfigs still have the certificates of before', { error }));
  });
}

/** The setups of the serving port and of front proxies. */
async function openEndpoint(flags: ControlPlaneFlags, logger: Logger) {
  const { openServing } = await import('../../control-plane/open-serving.ts');
  const { openFrontProxy } = await import('../../control-plane/open-front-proxy.ts');
  const dependencies = { clock: systemClock, logger };
  return { serving: await openServing(flags, dependencies), frontProxy: await openFrontProxy(flags, dependencies) };
}

async function openAuthentication(flags: ControlPlaneFlags, logger: Logger) {
  const { planTokens } = await import('../../control-plane/authentication/plan-tokens.ts');
  const tokens = planTokens(flags, { readText: (file) => readFileSync(file, 'utf8'), logger });
  return { tokens, authentication: await openRemoteAuthentication(flags, tokens, logger) };
}

/** Loaded only where tokens of others are accepted, or requests to some paths only may come without. */
async function openRemoteAuthentication(flags: ControlPlaneFlags, tokens: TokenSetup, logger: Logger): Promise<OpenedAuthentication> {
  const { authenticationConfig, authenticationTokenWebhookConfigFile } = flags;
  const anonymous = anonymousAuth(flags, logger);
  const isDefault = !(flags.authorizationMode ?? []).includes('AlwaysAllow');
  const isOIDC = Object.entries(flags).some(([name, value]) => name.startsWith('oidc') && value !== undefined);
  if (authenticationConfig === undefined && authenticationTokenWebhookConfigFile === undefined && !isOIDC)
    return { remoteTokens: [], anonymous: { isEnabled: anonymous ?? isDefault }, countIn: () => {}, close: async () => {} };
  const { openAuthentication } = await import('../../control-plane/authentication/open-authentication.ts');
  const effective = anonymous === undefined ? flags : { ...flags, anonymousAuth: anonymous };
  return await openAuthentication(effective, {
    anonymousByDefault: isDefault,
    ...{ clock: systemClock, random: systemRandom, logger: logger.with({ part: 'authentication' }) },
    audiences: tokens.audiences,
    serviceAccountIssuers: tokens.issuers,
    serverId: `apiserver-${os.hostname()}`,
  });
}

/** Loaded only where something is audited. */
async function openAudit(flags: ControlPlaneFlags, logger: Logger) {
  if (flags.auditPolicyFile === undefined && flags.auditLogPath === undefined && flags.auditWebhookConfigFile === undefined)
    return undefined;
  const { createAudit } = await import('../../control-plane/audit/create-audit.ts');
  return await createAudit(flags, { clock: systemClock, random: systemRandom, logger, print: (text) => void process.stdout.write(text) });
}

/** Loaded only where something else than the default is asked for. */
async function openAuthorizers(flags: ControlPlaneFlags, logger: Logger) {
  const given = authorizationFlagsOf(flags);
  if (Object.values(given).every((value) => value === undefined)) return undefined;
  const { openAuthorization } = await import('../../control-plane/open-authorization.ts');
  return await openAuthorization(given, { clock: systemClock, logger });
}

function authorizationFlagsOf(flags: AuthorizationFlags): AuthorizationFlags {
  const { authorizationConfig, authorizationMode, authorizationWebhookConfigFile, authorizationWebhookVersion } = flags;
  const { authorizationWebhookCacheAuthorizedTtl, authorizationWebhookCacheUnauthorizedTtl } = flags;
  return {
    ...(authorizationConfig === undefined ? {} : { authorizationConfig }),
    ...(authorizationMode === undefined ? {} : { authorizationMode }),
    ...(authorizationWebhookConfigFile === undefined ? {} : { authorizationWebhookConfigFile }),
    ...(authorizationWebhookVersion === undefined ? {} : { authorizationWebhookVersion }),
    ...(authorizationWebhookCacheAuthorizedTtl === undefined ? {} : { authorizationWebhookCacheAuthorizedTtl }),
    ...(authorizationWebhookCacheUnauthorizedTtl === undefined ? {} : { authorizationWebhookCacheUnauthorizedTtl }),
  };
}

/** The value of the flag; undefined if it was not given and the default applies. */
function anonymousAuth({ anonymousAuth: given, authorizationMode = [] }: ControlPlaneFlags, logger: Logger): boolean | undefined {
  if (given === false || !authorizationMode.includes('AlwaysAllow')) return given;
  logger.warn(
    'AnonymousAuth is not allowed with the AlwaysAllow authorizer. Resetting AnonymousAuth to false. You should use a different authorizer',
  );
  return given === undefined ? undefined : false;
}

function encryption({ encryptionProviderConfig: file, encryptionProviderConfigAutomaticReload: reloads = false }: ControlPlaneFlags) {
  return file === undefined ? {} : { encryption: { file: path.resolve(file), reloads } };
}

function etcdFiles({ etcdCa, etcdCert, etcdKey }: ControlPlaneFlags): Pick<Instance, 'etcd'> {
  if (etcdCert === undefined) return {};
  const optional = (name: string, file: string | undefined) => (file === undefined ? {} : { [name]: path.resolve(file) });
  return { etcd: { certificate: path.resolve(etcdCert), ...optional('ca', etcdCa), ...optional('key', etcdKey) } };
}

function servingFiles({ tlsCertFile = '', tlsPrivateKeyFile = '', tlsSniCertKey = [] }: ControlPlaneFlags): Pick<Instance, 'serving'> {
  const main = tlsCertFile === '' ? [] : [{ flag: 'tls-cert-file', certFile: tlsCertFile, keyFile: tlsPrivateKeyFile, names: [] }];
  const pairs = [...main, ...tlsSniCertKey.map((pair) => ({ ...pair, flag: 'tls-sni-cert-key' }))];
  if (pairs.length === 0) return {};
  return {
    serving: pairs.map(({ flag, certFile, keyFile, names }) => ({
      ...{ flag, names, certificate: path.resolve(certFile), key: path.resolve(keyFile) },
    })),
  };
}

function withCredentials({ storage, etcdCa, etcdCert, etcdKey }: ControlPlaneFlags): StorageChoice {
  if (storage.kind !== 'etcd') return storage;
  return {
    ...storage,
    ...(etcdCa === undefined ? {} : { ca: etcdCa }),
    ...(etcdCert === undefined ? {} : { certificate: etcdCert }),
    ...(etcdKey === undefined ? {} : { key: etcdKey }),
  };
}

function explainStartFailure(error: unknown, flags: ControlPlaneFlags): unknown {
  const { code } = (error ?? {}) as { code?: string };
  if (code === 'EADDRINUSE')
    return new Error(`port ${flags.port} is taken by another program; choose another with --port`, { cause: error });
  if (code === 'EACCES')
    return new Error(`no permission to use ${flags.dataDir} or port ${flags.port}; choose others with --data-dir and --port`, {
      cause: error,
    });
  return error;
}
