import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AuditFlags } from '../../control-plane/audit/create-audit.ts';
import type { AuthenticationFlags } from '../../control-plane/authentication/plan-authentication.ts';
import type { TokenFlags } from '../../control-plane/authentication/plan-tokens.ts';
import { addAuditOptions } from './audit-options.ts';
import { addAuthenticationOptions } from './authentication-options.ts';
import { type PodNetworkMode, podNetworkModes } from '../../../api/semantics/nodes/node-configuration.ts';
import type { StorageChoice } from '../../control-plane/store/open-storage.ts';
import type { AuthorizationFlags } from '../../apiserver/authorization/mode-flags.ts';
import type { ServingFlags } from '../../control-plane/open-serving.ts';
import type { FrontProxyFlags } from '../../control-plane/open-front-proxy.ts';
import { addServingOptions } from './serving-options.ts';
import { addFrontProxyOptions } from './front-proxy-options.ts';
import { addAuthorizationOptions } from './authorization-options.ts';
import { defaultDataDirPath } from '../data-dir/data-dir.ts';
import { parseBoolean, parseCount, parseDuration, parseNames, parsePort, parseServiceCIDRs } from './parse-flags.ts';

export interface ControlPlaneFlags extends AuditFlags, AuthenticationFlags, TokenFlags, AuthorizationFlags, ServingFlags, FrontProxyFlags {
  readonly dataDir: string;
  readonly kubeconfig?: string;
  readonly port: number;
  readonly bindAddress: string;
  readonly advertiseAddress?: string;
  readonly storage: StorageChoice;
  readonly etcdCa?: string;
  readonly etcdCert?: string;
  readonly etcdKey?: string;
  readonly kubeletCertificateAuthority?: string;
  readonly serviceCidr: readonly [string, ...string[]];
  readonly clusterCidr: string;
  readonly nodeCidrMaskSize: number;
  readonly nodeCidrMaskSizeIpv6: number;
  readonly podNetwork: PodNetworkMode;
  readonly nodeMonitorGracePeriod: number;
  readonly controllers: readonly string[];
  readonly enableAdmissionPlugins: readonly string[];
  readonly disableAdmissionPlugins: readonly string[];
  readonly leaderElect?: boolean;
  readonly encryptionProviderConfig?: string;
  readonly encryptionProviderConfigAutomaticReload?: boolean;
  readonly admissionControlConfigFile?: string;
  readonly scheduler: boolean;
  readonly metricsApi: boolean;
  readonly localStorage: boolean;
  readonly maxRequestsInflight: number;
  readonly maxMutatingRequestsInflight: number;
  readonly requestTimeout: number;
  readonly minRequestTimeout: number;
  readonly shutdownDelayDuration: number;
  readonly logLevel: LogLevel;
}

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type LogLevel = (typeof logLevels)[number];

function parseStorage(text: string): StorageChoice {
  if (text === 'embedded' || text === 'memory') return { kind: text };
  const [kind, endpoints] = [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)];
  if (kind !== 'etcd' || endpoints === '') throw new InvalidArgumentError('it is embedded, memory, or etcd=URL[,URL].');
  const urls = endpoints.split(',');
  for (const url of urls)
    if (!/^https?:\/\/[^/]+$/.test(url)) throw new InvalidArgumentError(`'${url}' is not a URL such as http://127.0.0.1:2379.`);
  return { kind: 'etcd', endpoints: urls };
}

export function dataDirOption(): Option {
  return new Option('--data-dir <path>', 'where everything is kept').default(defaultDataDirPath()).env('KUBETS_DATA_DIR');
}

export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'what is written to standard error').choices([...logLevels]).default('warn');
}

export function podNetworkOption(): Option {
  return new Option('--pod-network <mode>', 'how nodes reach the pods of others; external: a network plugin of your own in /etc/cni/net.d')
    .choices([...podNetworkModes])
    .default('host-gw');
}

export function addControlPlaneOptions(command: Command): Command {
  addAuditOptions(addAuthenticationOptions(command))
    .addOption(dataDirOption())
    .addOption(new Option('--kubeconfig <path>', 'also write the admin kubeconfig there').env('KUBETS_KUBECONFIG'))
    .addOption(new Option('--port <number>', 'port of the API server').default(6443).argParser(parsePort))
    .addOption(new Option('--bind-address <ip>', 'address the API server listens on').default('0.0.0.0'))
    .addOption(
      new Option(
        '--advertise-address <ip>',
        'address under which nodes and pods reach the API server (default: the address of the default route)',
      ),
    )
    .addOption(
      new Option('--storage <kind>', 'embedded, memory, or etcd=URL[,URL]')
        .default({ kind: 'embedded' }, 'embedded')
        .argParser(parseStorage),
    )
    .addOption(new Option('--etcd-ca <file>', 'CA of https etcd endpoints'))
    .addOption(new Option('--etcd-cert <file>', 'client certificate for etcd'))
    .addOption(new Option('--etcd-key <file>', 'key of the client certificate for etcd'))
    .addOption(
      new Option(
        '--kubelet-certificate-authority <file>',
        'CA that must have signed the certificates kubelets serve with (default: they are not verified)',
      ),
    );
  addNetworkOptions(command);
  addPartOptions(command);
  addAuthorizationOptions(command);
  addServingOptions(command);
  addFrontProxyOptions(command);
  return addLimitOptions(command).addOption(logLevelOption());
}

function addNetworkOptions(command: Command): void {
  command
    .addOption(
      new Option('--service-cidr <cidr[,cidr]>', 'range of ClusterIPs, or two of different families, the default first')
        .default(['10.96.0.0/12'], '10.96.0.0/12')
        .argParser(parseServiceCIDRs),
    )
    .addOption(
      new Option('--cluster-cidr <cidr[,cidr]>', 'range of all pods, or two of different families, the default first')
        .default('10.244.0.0/16')
        .argParser((text: string) => parseServiceCIDRs(text).join()),
    )
    .addOption(new Option('--node-cidr-mask-size <bits>', "size of each node's part of a range of IPv4").default(24).argParser(Number))
    .addOption(new Option('--node-cidr-mask-size-ipv6 <bits>', 'the same of IPv6').default(64).argParser(Number))
    .addOption(podNetworkOption());
}

/** The options of controllers, scheduler, admission and encryption. */
function addPartOptions(command: Command): void {
  command
    .addOption(
      new Option('--node-monitor-grace-period <duration>', 'how long a node may be silent before it counts as not ready')
        .default(50_000, '50s')
        .argParser(parseDuration),
    )
    .addOption(
      new Option('--controllers <names>', "controllers to run: '*' is all, 'foo' the one named foo, '-foo' is left out, '' is none")
        .default(['*'], '*')
        .argParser(parseNames),
    )
    .addOption(
      new Option('--enable-admission-plugins <names>', 'admission plugins besides those that are on by default')
        .default([], '')
        .argParser(parseNames),
    )
    .addOption(
      new Option('--disable-admission-plugins <names>', 'admission plugins that are left out').default([], '').argParser(parseNames),
    )
    .addOption(
      new Option(
        '--no-metrics-api',
        'without metrics.k8s.io, which kubectl top and autoscalers ask; an installed metrics-server takes its place',
      ),
    )
    .addOption(new Option('--no-local-storage', "without StorageClass 'standard' and its volumes of directories on the nodes"))
    .addOption(
      new Option(
        '--admission-control-config-file <path>',
        'an AdmissionConfiguration, with the defaults and exemptions of PodSecurity and the credentials for admission webhooks',
      ),
    )
    .addOption(new Option('--encryption-provider-config <path>', 'an EncryptionConfiguration: how values are encrypted in the store'))
    .addOption(
      new Option('--encryption-provider-config-automatic-reload', 'take over changes of that file without a restart, within a minute'),
    )
    .addOption(new Option('--no-scheduler', 'pods wait until something else binds them to a node'))
    .addOption(
      new Option(
        '--leader-elect [boolean]',
        'run controllers and scheduler only while this control plane holds their leases (default: with etcd, which others may share)',
      )
        .preset(true)
        .argParser(parseBoolean),
    );
}

function addLimitOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--max-requests-inflight <number>', 'with the next one, how many requests are executed at once, by priority')
        .default(400)
        .argParser(parseCount),
    )
    .addOption(new Option('--max-mutating-requests-inflight <number>', 'see above').default(200).argParser(parseCount))
    .addOption(
      new Option('--request-timeout <duration>', 'how long a request may take that is no watch, log or connection')
        .default(60_000, '1m0s')
        .argParser(parseDuration),
    )
    .addOption(
      new Option('--min-request-timeout <seconds>', 'how long watches last that say nothing of it, at least')
        .default(1800)
        .argParser(parseCount),
    )
    .addOption(
      new Option('--shutdown-delay-duration <duration>', 'how long requests are still taken at the end, while /readyz fails already')
        .default(0, '0s')
        .argParser(parseDuration),
    );
}
