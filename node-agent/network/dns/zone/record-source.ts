import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { formatIP, parseIP } from '../../../../api/base/ip-address.ts';
import type { InformerFactory } from '../../../../api/client/informers/informer.ts';
import { endpointSlices } from '../../../../api/resources/discovery/v1/endpoint-slice.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';
import { planServiceRecords, type ServiceRecords } from './service-records.ts';

/** The source of the zone's records. Every look-up is by index. */
export interface RecordSource {
  find(namespace: string, service: string): ServiceRecords | undefined;
  /** Whether there are Services in it. */
  hasNamespace(namespace: string): boolean;
  /** Services with the ClusterIP, or with endpoints of this address that have hostnames. Canonical addresses. */
  byClusterIP(address: string): readonly ServiceRecords[];
  byEndpoint(address: string): readonly ServiceRecords[];
  hasSynced(): boolean;
  /** Resolves when it has; rejects with the signal's reason. */
  synced(signal: AbortSignal): Promise<void>;
  /** Grows with every change. */
  serial(): number;
}

const byAddress = 'dns/address';
const byService = 'dns/service';

export function createRecordSource(informers: InformerFactory): RecordSource {
  const serviceInformer = informers.informer(services);
  const sliceInformer = informers.informer(endpointSlices);
  serviceInformer.addIndex(byAddress, ({ spec }) => (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).flatMap(canonical));
  sliceInformer.addIndex(byService, (slice) => {
    const name = serviceOf(slice);
    return name === undefined ? [] : [name];
  });
  sliceInformer.addIndex(byAddress, ({ endpoints }) => [
    ...new Set((endpoints ?? []).filter(({ hostname }) => hostname).flatMap(({ addresses }) => addresses.flatMap(canonical))),
  ]);
  const records = new Map<string, ServiceRecords>();
  let serial = 1;
  const forget = (key: string | undefined) => {
    if (key !== undefined) records.delete(key);
    serial++;
  };
  const serviceChanged = (service: DeepReadonly<Service>) => forget(`${service.metadata.namespace}/${service.metadata.name}`);
  const sliceChanged = (slice: DeepReadonly<EndpointSlice>) => forget(serviceOf(slice));
  const namespaces = new Map<string, number>();
  const count = (service: DeepReadonly<Service>, by: 1 | -1) => {
    const namespace = service.metadata.namespace ?? '';
    namespaces.set(namespace, (namespaces.get(namespace) ?? 0) + by);
    if (namespaces.get(namespace) === 0) namespaces.delete(namespace);
    serviceChanged(service);
  };
  serviceInformer.addHandler({
    onAdd: (service) => count(service, 1),
    onUpdate: serviceChanged,
    onDelete: (service) => count(service, -1),
  });
  sliceInformer.addHandler({
    onAdd: sliceChanged,
    onUpdate(slice, old) {
      sliceChanged(slice);
      sliceChanged(old);
    },
    onDelete: sliceChanged,
  });

  const find = (namespace: string, name: string): ServiceRecords | undefined => {
    const key = `${namespace}/${name}`;
    const known = records.get(key);
    if (known !== undefined) return known;
    const service = serviceInformer.lister.find({ namespace, name });
    if (service === undefined) return undefined;
    const made = planServiceRecords(service, sliceInformer.lister.byIndex(byService, key));
    records.set(key, made);
    return made;
  };
  return {
    find,
    hasNamespace: (namespace) => namespaces.has(namespace),
    byClusterIP: (address) =>
      serviceInformer.lister
        .byIndex(byAddress, address)
        .flatMap(({ metadata }) => find(metadata.namespace ?? '', metadata.name ?? '') ?? []),
    byEndpoint(address) {
      const keys = new Set(sliceInformer.lister.byIndex(byAddress, address).flatMap((slice) => serviceOf(slice) ?? []));
      return [...keys].flatMap((key) => find(key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)) ?? []);
    },
    hasSynced: () => serviceInformer.hasSynced() && sliceInformer.hasSynced(),
    async synced(signal) {
      await Promise.all([serviceInformer.synced(signal), sliceInformer.synced(signal)]);
    },
    serial: () => serial,
  };
}

function serviceOf({ metadata }: DeepReadonly<EndpointSlice>): string | undefined {
  const name = metadata.labels?.['kubernetes.io/service-name'];
  return name ? `${metadata.namespace}/${name}` : undefined;
}

function canonical(address: string): string[] {
  const ip = parseIP(address);
  return ip === undefined ? [] : [formatIP(ip)];
}
