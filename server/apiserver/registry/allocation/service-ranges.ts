import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { Client } from '../../../../api/client/client.ts';
import type { Lister } from '../../../../api/client/informers/informer.ts';
import { listAll } from '../../../../api/client/list-pages.ts';
import { serviceCIDRs } from '../../../../api/resources/networking/v1/service-cidr.ts';
import type { ServiceCIDR } from '../../../../api/types/networking-v1.ts';
import { type AddressRange, parseAddressRange } from './address-range.ts';

/** The ranges that cluster addresses may come from: those of all ServiceCIDRs, which may overlap. */
export interface ServiceRanges {
  /** The ranges from which addresses may be given now: their ServiceCIDR is ready and is not being deleted. May lag behind. */
  ready(): readonly AddressRange[];
  /** The same, read anew. */
  readAgain(): Promise<readonly AddressRange[]>;
  /** Whether anybody has declared a range with this address, ready or not. May lag behind. */
  all(): readonly AddressRange[];
}

export function createServiceRanges(client: Client, lister: Lister<ServiceCIDR>): ServiceRanges {
  let version = -1;
  let all: readonly AddressRange[] = [];
  let ready: readonly AddressRange[] = [];
  const refresh = () => {
    if (lister.version() === version) return;
    version = lister.version();
    const present = lister.list();
    all = rangesOf(present);
    ready = rangesOf(present.filter(isReady));
  };
  return {
    ready() {
      refresh();
      return ready;
    },
    async readAgain() {
      return rangesOf((await listAll(client(serviceCIDRs))).items.filter(isReady));
    },
    all() {
      refresh();
      return all;
    },
  };
}

function isReady({ metadata, status }: DeepReadonly<ServiceCIDR>): boolean {
  if (metadata.deletionTimestamp) return false;
  return (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

/** Each range once, that of the cluster first. */
function rangesOf(present: readonly DeepReadonly<ServiceCIDR>[]): AddressRange[] {
  const rank = ({ metadata }: DeepReadonly<ServiceCIDR>) => (metadata.name === 'kubernetes' ? '' : (metadata.name ?? ''));
  const sorted = [...present].sort((one, other) => (rank(one) < rank(other) ? -1 : 1));
  return [...new Set(sorted.flatMap(({ spec }) => spec?.cidrs ?? []))].map(parseAddressRange);
}
