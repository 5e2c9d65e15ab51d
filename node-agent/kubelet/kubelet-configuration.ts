import type { CgroupDriver } from '../linux/cgroup-names.ts';
import type { KubeletSettings } from './kubelet.ts';

/** The settings as a KubeletConfiguration (kubelet.config.k8s.io/v1beta1): what /configz shows. */
export function kubeletConfiguration(settings: KubeletSettings, cgroupDriver: CgroupDriver): Record<string, unknown> {
  return {
    enableServer: true,
    port: settings.port,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true, cacheTTL: '2m0s' } },
    authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
    clusterDomain: settings.clusterDomain,
    clusterDNS: settings.clusterDNS,
    nodeStatusUpdateFrequency: '10s',
    nodeStatusReportFrequency: '5m0s',
    nodeLeaseDurationSeconds: 40,
    cgroupRoot: settings.cgroupRoot,
    cgroupDriver,
    cgroupsPerQOS: true,
    singleProcessOOMKill: settings.singleProcessOOMKill,
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
  };
}
