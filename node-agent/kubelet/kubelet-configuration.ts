import { milliQuantityOf, quantityOf } from '../../api/base/quantity/arithmetic.ts';
import { formatDuration } from '../../api/meta/duration.ts';
import { formatQuantity } from '../../api/base/quantity/quantity.ts';
import type { CgroupDriver } from '../linux/cgroups/cgroup-names.ts';
import type { KubeletSettings } from './kubelet-settings.ts';
import type { AllocatableSettings, NodeAmounts } from './resources/node-allocatable.ts';

/** The sources of the kubelet's certificates. */
interface CertificateSources {
  readonly clientCAFile: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  /** The cluster gave them at the node's request, and renews them. */
  readonly isIssued: boolean;
}

/** The settings as a KubeletConfiguration (kubelet.config.k8s.io/v1beta1), which /configz shows. */
export function kubeletConfiguration(
  settings: KubeletSettings,
  cgroupDriver: CgroupDriver,
  { clientCAFile, isIssued, ...files }: CertificateSources,
): Record<string, unknown> {
  return {
    enableServer: true,
    port: settings.port,
    readOnlyPort: 0,
    ...files,
    rotateCertificates: isIssued,
    serverTLSBootstrap: isIssued && files.tlsCertFile === undefined,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true, cacheTTL: '2m0s' }, x509: { clientCAFile } },
    authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
    clusterDomain: settings.clusterDomain,
    clusterDNS: settings.clusterDNS,
    nodeStatusUpdateFrequency: '10s',
    nodeStatusReportFrequency: '5m0s',
    nodeLeaseDurationSeconds: 40,
    cgroupRoot: settings.cgroupRoot,
    cgroupDriver,
    cgroupsPerQOS: true,
    ...allocatableConfiguration(settings.allocatable),
    evictionHard: evictionHard(settings),
    evictionPressureTransitionPeriod: `${settings.eviction.transitionMs / 1000}s`,
    memorySwap: { swapBehavior: settings.swapBehavior },
    singleProcessOOMKill: settings.singleProcessOOMKill,
    ...(settings.protectKernelDefaults ? { protectKernelDefaults: true } : {}),
    maxPods: settings.maxPods,
    ...(settings.podCIDR === undefined ? {} : { podCIDR: settings.podCIDR }),
    podPidsLimit: settings.pidsLimit ?? -1,
    resolvConf: settings.resolvConf ?? '/etc/resolv.conf',
    cpuCFSQuota: true,
    cpuManagerPolicy: 'none',
    memoryManagerPolicy: 'None',
    topologyManagerPolicy: 'none',
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 5,
    registerWithTaints: settings.taints,
    registerNode: true,
    seccompDefault: settings.seccompDefault,
    streamingConnectionIdleTimeout: formatDuration(settings.streamingIdleMs),
    // Events are aggregated, and none is held back.
    eventRecordQPS: 0,
  };
}

function allocatableConfiguration({ enforce, systemReserved, kubeReserved, ...cgroups }: AllocatableSettings): Record<string, unknown> {
  return {
    enforceNodeAllocatable: enforce,
    systemReserved: amountsText(systemReserved),
    kubeReserved: amountsText(kubeReserved),
    ...cgroups,
  };
}

function amountsText(amounts: NodeAmounts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(amounts).map(([resource, amount]) => [
      resource,
      formatQuantity(resource === 'cpu' ? milliQuantityOf(amount) : quantityOf(amount, resource === 'pid' ? 'DecimalSI' : 'BinarySI')),
    ]),
  );
}

/** Without the signals that follow from others. */
function evictionHard({ eviction: { thresholds } }: KubeletSettings): Record<string, string> {
  const hard = thresholds.filter(({ signal, graceMs }) => graceMs === 0 && signal !== 'allocatableMemory.available');
  return Object.fromEntries(
    hard.map(({ signal, value }) => [
      signal,
      'share' in value ? `${Number((value.share * 100).toPrecision(6))}%` : formatQuantity(quantityOf(value.quantity, 'BinarySI')),
    ]),
  );
}
