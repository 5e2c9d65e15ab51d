import { randomInt, type Random } from '../../../../api/base/random.ts';
import { recordType, responseCode } from '../message/codes.ts';
import type { DNSRecord } from '../message/write-message.ts';
import { parseClusterName, parseReverseName } from './parse-name.ts';
import type { RecordSource } from './record-source.ts';
import type { EndpointRecord, PortRecord, ServiceRecords } from './service-records.ts';

export interface ZoneAnswer {
  readonly code: number;
  readonly answers: readonly DNSRecord[];
  readonly authorities: readonly DNSRecord[];
  readonly additionals: readonly DNSRecord[];
  /** A name outside the zone at which the answers end: the asker wants its addresses too. */
  readonly continueAt?: string;
}

interface ClusterZoneDependencies {
  readonly source: RecordSource;
  /** E.g. cluster.local. */
  readonly domain: string;
  /** Address of the DNS Service, for the zone's name server record. */
  readonly serviceAddress?: string;
  readonly random: Random;
}

/** Seconds; CoreDNS's default for Kubernetes. Services change while clients hold answers. */
const clusterTTL = 5;
const version = '1.1.0';
/** ExternalName Services that name each other. */
const maxAliases = 8;

interface Question {
  readonly name: string;
  readonly type: number;
  /** The most records that an answer has room for; no more are made. */
  readonly maxRecords: number;
}

interface Found {
  readonly exists: boolean;
  readonly answers: DNSRecord[];
  readonly additionals: DNSRecord[];
  readonly continueAt?: string;
}

const nothing: Found = { exists: false, answers: [], additionals: [] };

/**
 * Answers queries from the cluster's Services by the Kubernetes DNS specification 1.1.0, and as CoreDNS does where that is silent.
 * Undefined: the zone does not answer the query, for example for an address that belongs to no Service.
 */
export function createClusterZone(dependencies: ClusterZoneDependencies): (question: Question) => ZoneAnswer | undefined {
  const { source } = dependencies;
  const domain = dependencies.domain.toLowerCase();
  return ({ name, type, maxRecords }) => {
    const lower = name.toLowerCase();
    const address = parseReverseName(lower);
    if (address !== undefined) return findReverse(source, domain, { name, type, maxRecords }, address);
    if (lower !== domain && !lower.endsWith(`.${domain}`)) return undefined;
    if (!source.hasSynced()) return { code: responseCode.SERVFAIL, answers: [], authorities: [], additionals: [] };
    const found = findInZone({ ...dependencies, domain }, { name, type, maxRecords }, 0);
    const code = found.exists ? responseCode.NOERROR : responseCode.NXDOMAIN;
    const { answers } = found;
    const authorities = answers.length > 0 ? [] : [startOfAuthority(domain, source.serial())];
    const { additionals, continueAt } = found;
    return { code, answers, authorities, additionals, ...(continueAt === undefined ? {} : { continueAt }) };
  };
}

function findInZone(zone: ClusterZoneDependencies, question: Question, aliases: number): Found {
  const { name, type } = question;
  const { source, domain } = zone;
  const parsed = parseClusterName(name.toLowerCase(), domain);
  const exists = (...answers: DNSRecord[]): Found => ({ exists: true, answers, additionals: [] });
  switch (parsed?.kind) {
    case 'apex':
      if (type === recordType.SOA) return exists(startOfAuthority(domain, source.serial()));
      if (type === recordType.NS) {
        return { ...exists({ name, type: 'NS', ttl: clusterTTL, target: `ns.dns.${domain}` }), additionals: nameServer(zone) };
      }
      return exists();
    case 'nameServer':
      return exists(...ofType(nameServer({ ...zone }), type));
    case 'version':
      return exists(...(type === recordType.TXT ? [{ name, type: 'TXT' as const, ttl: clusterTTL, text: version }] : []));
    case 'empty':
      return exists();
    case 'namespace':
      return source.hasNamespace(parsed.namespace) ? exists() : nothing;
    case 'pod':
      return exists(...ofType(addressRecords(name, [parsed.address]), type));
    case 'service': {
      const records = source.find(parsed.namespace, parsed.service);
      return records === undefined ? nothing : findService(zone, records, question, aliases);
    }
    case 'endpoint': {
      const endpoint = source.find(parsed.namespace, parsed.service)?.endpoints.get(parsed.endpoint);
      return endpoint === undefined ? nothing : findEndpoint(endpoint, question);
    }
    case 'port': {
      const records = source.find(parsed.namespace, parsed.service);
      if (records === undefined) return nothing;
      const matches = ({ name: port, protocol }: PortRecord) => port.toLowerCase() === parsed.port && protocol === parsed.protocol;
      return findPorts(zone, records, question, matches);
    }
    default:
      return nothing;
  }
}

function findService(zone: ClusterZoneDependencies, records: ServiceRecords, question: Question, aliases: number): Found {
  const { name, type } = question;
  const { externalName, addresses, isHeadless } = records;
  if (externalName !== undefined) return findAlias(zone, externalName, question, aliases);
  // A headless Service without ready endpoints has no name (specification, 2.4).
  if (isHeadless && addresses.length === 0) return nothing;
  if (type === recordType.SRV) return findPorts(zone, records, question, () => true);
  const wanted = addressesOf(records, type);
  return { exists: true, answers: addressRecords(name, choose(wanted, zone.random, question.maxRecords)), additionals: [] };
}

/** The addresses that a question of a type is answered with, as the Service has them. */
function addressesOf({ addresses, ofType: { A, AAAA } }: ServiceRecords, type: number): readonly string[] {
  if (type === recordType.ANY) return addresses;
  if (type === recordType.A) return A;
  return type === recordType.AAAA ? AAAA : [];
}

/** The alias, and its target as far as that is in the zone. */
function findAlias(zone: ClusterZoneDependencies, target: string, question: Question, aliases: number): Found {
  const { name, type } = question;
  const alias: DNSRecord = { name, type: 'CNAME', ttl: clusterTTL, target };
  if (type === recordType.CNAME || aliases >= maxAliases) return { exists: true, answers: [alias], additionals: [] };
  if (target !== zone.domain && !target.endsWith(`.${zone.domain}`)) {
    return { exists: true, answers: [alias], additionals: [], continueAt: target };
  }
  const rest = findInZone(zone, { ...question, name: target }, aliases + 1);
  return { ...rest, exists: true, answers: [alias, ...rest.answers] };
}

function findEndpoint({ addresses, ports }: EndpointRecord, { name, type }: Question): Found {
  if (type !== recordType.SRV) return { exists: true, answers: ofType(addressRecords(name, addresses), type), additionals: [] };
  const answers = ports.map(
    ({ port }): DNSRecord => ({ name, type: 'SRV', ttl: clusterTTL, priority: 0, weight: weightOf(ports.length), port, target: name }),
  );
  return { exists: true, answers, additionals: addressRecords(name, addresses) };
}

/** SRV records: to the ClusterIP's name, or for headless Services to each endpoint's. */
function findPorts(
  { domain, random }: ClusterZoneDependencies,
  records: ServiceRecords,
  { name, type, maxRecords }: Question,
  matches: (port: PortRecord) => boolean,
): Found {
  if (records.externalName !== undefined) return nothing;
  const serviceName = `${records.service}.${records.namespace}.svc.${domain}`;
  const pairs: (readonly [PortRecord, EndpointRecord | undefined])[] = [];
  if (records.isHeadless) {
    for (const endpoint of records.endpoints.values()) for (const port of endpoint.ports) if (matches(port)) pairs.push([port, endpoint]);
  } else for (const port of records.ports) if (matches(port)) pairs.push([port, undefined]);
  if (pairs.length === 0) return nothing;
  if (type !== recordType.SRV) return { exists: true, answers: ofType([], type), additionals: [] };
  const weight = weightOf(pairs.length);
  const targets = choose(pairs, random, maxRecords).map(([{ port }, endpoint]) => ({
    port,
    target: endpoint === undefined ? serviceName : `${endpoint.name}.${serviceName}`,
    addresses: endpoint?.addresses ?? records.addresses,
  }));
  const glue = new Map(targets.map(({ target, addresses }) => [target, addresses]));
  return {
    exists: true,
    answers: targets.map(({ port, target }): DNSRecord => ({ name, type: 'SRV', ttl: clusterTTL, priority: 0, weight, port, target })),
    additionals: [...glue].flatMap(([target, addresses]) => addressRecords(target, addresses)),
  };
}

/** The weight that CoreDNS gives: equal shares of a hundred. */
function weightOf(count: number): number {
  return Math.floor(100 / count);
}

function findReverse(source: RecordSource, domain: string, { name, type }: Question, address: string): ZoneAnswer | undefined {
  const nameOf = ({ service, namespace }: ServiceRecords) => `${service}.${namespace}.svc.${domain}`;
  const targets = source.byClusterIP(address).map(nameOf);
  if (targets.length === 0) {
    for (const records of source.byEndpoint(address))
      for (const endpoint of records.namesByAddress.get(address) ?? []) targets.push(`${endpoint}.${nameOf(records)}`);
  }
  if (targets.length === 0) return undefined;
  const answers = type === recordType.PTR ? targets.map((target): DNSRecord => ({ name, type: 'PTR', ttl: clusterTTL, target })) : [];
  const authorities = answers.length > 0 ? [] : [startOfAuthority(domain, source.serial())];
  return { code: responseCode.NOERROR, answers, authorities, additionals: [] };
}

function nameServer({ domain, serviceAddress }: Pick<ClusterZoneDependencies, 'domain' | 'serviceAddress'>): DNSRecord[] {
  return serviceAddress === undefined ? [] : addressRecords(`ns.dns.${domain}`, [serviceAddress]);
}

function addressRecords(name: string, addresses: readonly string[]): DNSRecord[] {
  return addresses.map((address) => ({ name, type: address.includes(':') ? 'AAAA' : 'A', ttl: clusterTTL, address }));
}

function ofType(records: readonly DNSRecord[], type: number): DNSRecord[] {
  return records.filter((record) => type === recordType.ANY || recordType[record.type] === type);
}

function startOfAuthority(domain: string, serial: number): DNSRecord {
  const timers = { refresh: 7200, retry: 1800, expire: 86_400, minimum: clusterTTL };
  return { name: domain, type: 'SOA', ttl: clusterTTL, primary: `ns.dns.${domain}`, mailbox: `hostmaster.${domain}`, serial, timers };
}

/**
 * Chooses up to `count` elements in random order, so that clients that use the first one spread. Costs a copy and the work for the chosen
 * ones.
 */
function choose<T>(all: readonly T[], random: Random, count: number): T[] {
  const chosen = [...all];
  const end = Math.min(count, all.length);
  for (let index = 0; index < end; index++) {
    const other = index + randomInt(random, all.length - index);
    const [a, b] = [chosen[index], chosen[other]];
    if (a !== undefined && b !== undefined) [chosen[index], chosen[other]] = [b, a];
  }
  return chosen.slice(0, end);
}
