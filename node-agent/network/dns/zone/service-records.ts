import { formatIP, parseIP } from '../../../../api/base/ip-address.ts';
import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isHeadlessService } from '../../../../api/semantics/services/services.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';

/** A named port, for SRV records. Name and protocol are in lower case. */
export interface PortRecord {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** The endpoints under one name below the Service: a host name, or an address with dashes. */
export interface EndpointRecord {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly ports: readonly PortRecord[];
  /** Whether the endpoint's Pod has a host name, so that the address resolves to this name in turn. */
  readonly isNamed: boolean;
}

/** The DNS records of one Service. */
export interface ServiceRecords {
  readonly namespace: string;
  readonly service: string;
  /** Set for ExternalName Services, which have nothing else. */
  readonly externalName?: string;
  readonly isHeadless: boolean;
  /** ClusterIPs, or for headless Services the addresses of ready endpoints. */
  readonly addresses: readonly string[];
  /** The same by the type of the records that they make. */
  readonly ofType: { readonly A: readonly string[]; readonly AAAA: readonly string[] };
  /** Names that endpoints were given, by their addresses in canonical form. */
  readonly namesByAddress: ReadonlyMap<string, readonly string[]>;
  /** Ports of the ClusterIP; headless Services have ports by endpoint. */
  readonly ports: readonly PortRecord[];
  readonly endpoints: ReadonlyMap<string, EndpointRecord>;
}

/** Computes the records once per change of the Service or its slices, so that a query is a look-up whatever their size. */
export function planServiceRecords(service: DeepReadonly<Service>, slices: readonly DeepReadonly<EndpointSlice>[]): ServiceRecords {
  const { metadata, spec } = service;
  const base = { namespace: metadata.namespace ?? '', service: metadata.name ?? '' };
  if (spec?.type === 'ExternalName') {
    const externalName = (spec.externalName ?? '').replace(/\.$/, '').toLowerCase();
    const nothing = { addresses: [], ofType: { A: [], AAAA: [] }, ports: [], endpoints: new Map(), namesByAddress: new Map() };
    return { ...base, externalName, isHeadless: false, ...nothing };
  }
  const endpoints = endpointRecords(slices);
  const isHeadless = isHeadlessService(service);
  const clusterIPs = spec?.clusterIPs ?? [spec?.clusterIP ?? ''];
  const addresses = isHeadless
    ? [...new Set([...endpoints.values()].flatMap((endpoint) => endpoint.addresses))]
    : clusterIPs.filter((address) => address !== '' && address !== 'None');
  const isIPv6 = (address: string) => address.includes(':');
  return {
    ...base,
    isHeadless,
    addresses,
    ofType: { A: addresses.filter((address) => !isIPv6(address)), AAAA: addresses.filter(isIPv6) },
    namesByAddress: namesByAddress(endpoints),
    ports: (spec?.ports ?? []).map(({ name = '', protocol = 'TCP', port }) => ({ name, protocol: protocol.toLowerCase(), port })),
    endpoints,
  };
}

/** Ready endpoints; with publishNotReadyAddresses all are marked ready in the slices. */
function endpointRecords(slices: readonly DeepReadonly<EndpointSlice>[]): Map<string, EndpointRecord> {
  const records = new Map<string, { name: string; addresses: string[]; ports: PortRecord[]; isNamed: boolean }>();
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue;
    const ports = (slice.ports ?? []).flatMap(({ name = '', protocol = 'TCP', port }) =>
      port === undefined ? [] : [{ name, protocol: protocol.toLowerCase(), port }],
    );
    for (const { addresses, conditions, hostname } of slice.endpoints ?? []) {
      if (conditions?.ready === false) continue;
      for (const address of addresses) {
        const isNamed = hostname !== undefined && hostname !== '';
        const name = isNamed ? hostname.toLowerCase() : address.replaceAll(/[.:]/g, '-');
        const record = records.get(name) ?? { name, addresses: [], ports: [], isNamed };
        records.set(name, record);
        if (!record.addresses.includes(address)) record.addresses.push(address);
        for (const port of ports) if (!record.ports.some((other) => isSamePort(port, other))) record.ports.push(port);
      }
    }
  }
  return records;
}

function isSamePort(a: PortRecord, b: PortRecord): boolean {
  return a.name === b.name && a.protocol === b.protocol && a.port === b.port;
}

function namesByAddress(endpoints: ReadonlyMap<string, EndpointRecord>): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { name, addresses, isNamed } of endpoints.values()) {
    if (!isNamed) continue;
    for (const address of new Set(addresses.flatMap(canonical))) names.set(address, [...(names.get(address) ?? []), name]);
  }
  return names;
}

function canonical(address: string): string[] {
  const ip = parseIP(address);
  return ip === undefined ? [] : [formatIP(ip)];
}
