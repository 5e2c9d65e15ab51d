import type { ReservedNames } from '../controllers/kubelet-serving-approving/names-of-node.ts';
import type { ServingCertificate } from '../serving/named-certificates.ts';
import { isServedName, type ServingSetup } from './open-serving.ts';

interface ReservedNamesOptions {
  readonly clusterDomain: string;
  /** Ranges with commas between them. */
  readonly clusterCIDR: string;
  readonly serviceCIDRs: readonly string[];
  readonly serving?: ServingSetup;
}

/** Names and addresses that no node may serve under: those of the cluster, and those of all certificates of the API server. */
export function reservedNames(options: ReservedNamesOptions, made: () => ServingCertificate): ReservedNames {
  const { clusterDomain, clusterCIDR, serviceCIDRs, serving } = options;
  const served = () => [made(), ...(serving ? [serving.certificate() ?? [], serving.named()].flat() : [])];
  return {
    clusterDomain,
    ranges: [...clusterCIDR.split(','), ...serviceCIDRs],
    isOfAPIServer: (name) =>
      isServedName(
        served().map(({ certificatePEM }) => certificatePEM),
        name,
      ),
  };
}
