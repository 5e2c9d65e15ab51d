import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import dnsPacket, { type Packet } from 'dns-packet';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { Service, ServiceSpec } from '../../../api/types/core-v1.ts';
import type { Endpoint, EndpointPort } from '../../../api/types/discovery-v1.ts';
import { type ClusterDNS, createClusterDNS, type DNSQueryFacts } from './cluster-dns.ts';
import { withLength } from './forward/exchange.ts';
import { createResponder } from './responder.ts';
import { createSourceFilter, followNodeAddresses } from './source-filter.ts';
import { ask, type AskOptions, exchangeBytes, texts } from './testing/ask.ts';

const soa = 'cluster.local SOA ns.dns.cluster.local hostmaster.cluster.local 7200 1800 86400 5';
const many = Array.from({ length: 60 }, (_, index) => `10.244.9.${index + 1}`);

const service = (namespace: string, name: string, spec: ServiceSpec): Service => ({ metadata: { namespace, name }, spec });
const port = (name: string, number: number, protocol: 'TCP' | 'UDP' = 'TCP') => ({ name, port: number, protocol });
const objects: readonly Service[] = [
  service('default', 'kubernetes', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [port('https', 443)] }),
  service('default', 'dual', {
    clusterIP: '10.96.0.2',
    clusterIPs: ['10.96.0.2', 'fd00::2'],
    ports: [port('a', 80), port('b', 81, 'UDP')],
  }),
  service('default', 'head', { clusterIP: 'None', ports: [port('web', 80)] }),
  service('default', 'nobody', { clusterIP: 'None', ports: [port('web', 80)] }),
  service('default', 'large', { clusterIP: 'None', ports: [port('web', 80)] }),
  service('default', 'alias', { type: 'ExternalName', externalName: 'kubernetes.default.svc.cluster.local' }),
  service('default', 'outside', { type: 'ExternalName', externalName: 'www.example.com.' }),
  service('default', 'loop', { type: 'ExternalName', externalName: 'loop.default.svc.cluster.local' }),
];
const slices: readonly [service: string, ports: EndpointPort[], endpoints: Endpoint[]][] = [
  [
    'head',
    [{ name: 'web', port: 8080, protocol: 'TCP' }],
    [
      { addresses: ['10.244.0.7'], hostname: 'web-0', conditions: { ready: true } },
      { addresses: ['10.244.0.8'], conditions: { ready: true } },
      { addresses: ['10.244.0.9'], hostname: 'web-2', conditions: { ready: false } },
    ],
  ],
  ['nobody', [{ name: 'web', port: 8080 }], [{ addresses: ['10.244.0.9'], conditions: { ready: false } }]],
  ['large', [{ name: 'web', port: 8080 }], many.map((address) => ({ addresses: [address] }))],
];

/** name, type -> rcode, answers, additionals. */
const cases: readonly [name: string, type: string, code: string, answers: string[], additionals?: string[]][] = [
  ['kubernetes.default.svc.cluster.local', 'A', 'NOERROR', ['kubernetes.default.svc.cluster.local A 10.96.0.1']],
  ['KUBERNETES.Default.svc.cluster.LOCAL', 'A', 'NOERROR', ['KUBERNETES.Default.svc.cluster.LOCAL A 10.96.0.1']],
  ['kubernetes.default.svc.cluster.local', 'AAAA', 'NOERROR', []],
  ['kubernetes.default.svc.cluster.local', 'MX', 'NOERROR', []],
  ['dual.default.svc.cluster.local', 'AAAA', 'NOERROR', ['dual.default.svc.cluster.local AAAA fd00::2']],
  ['missing.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['kubernetes.default.svc.cluster.local.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['kubernetes.other.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['default.svc.cluster.local', 'A', 'NOERROR', []],
  ['other.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['svc.cluster.local', 'A', 'NOERROR', []],
  ['what.cluster.local', 'A', 'NXDOMAIN', []],
  ['cluster.local', 'SOA', 'NOERROR', [soa]],
  ['cluster.local', 'NS', 'NOERROR', ['cluster.local NS ns.dns.cluster.local'], ['ns.dns.cluster.local A 10.96.0.10']],
  ['ns.dns.cluster.local', 'A', 'NOERROR', ['ns.dns.cluster.local A 10.96.0.10']],
  ['dns-version.cluster.local', 'TXT', 'NOERROR', ['dns-version.cluster.local TXT 1.1.0']],
  [
    'head.default.svc.cluster.local',
    'A',
    'NOERROR',
    ['head.default.svc.cluster.local A 10.244.0.7', 'head.default.svc.cluster.local A 10.244.0.8'],
  ],
  ['web-0.head.default.svc.cluster.local', 'A', 'NOERROR', ['web-0.head.default.svc.cluster.local A 10.244.0.7']],
  ['10-244-0-8.head.default.svc.cluster.local', 'A', 'NOERROR', ['10-244-0-8.head.default.svc.cluster.local A 10.244.0.8']],
  ['web-2.head.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['nobody.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['10-1-2-3.default.pod.cluster.local', 'A', 'NOERROR', ['10-1-2-3.default.pod.cluster.local A 10.1.2.3']],
  ['10-1-2-333.default.pod.cluster.local', 'A', 'NXDOMAIN', []],
  [
    '_https._tcp.kubernetes.default.svc.cluster.local',
    'SRV',
    'NOERROR',
    ['_https._tcp.kubernetes.default.svc.cluster.local SRV 0 100 443 kubernetes.default.svc.cluster.local'],
    ['kubernetes.default.svc.cluster.local A 10.96.0.1'],
  ],
  [
    'dual.default.svc.cluster.local',
    'SRV',
    'NOERROR',
    [
      'dual.default.svc.cluster.local SRV 0 50 80 dual.default.svc.cluster.local',
      'dual.default.svc.cluster.local SRV 0 50 81 dual.default.svc.cluster.local',
    ],
    ['dual.default.svc.cluster.local A 10.96.0.2', 'dual.default.svc.cluster.local AAAA fd00::2'],
  ],
  ['_https._udp.kubernetes.default.svc.cluster.local', 'SRV', 'NXDOMAIN', []],
  [
    '_web._tcp.head.default.svc.cluster.local',
    'SRV',
    'NOERROR',
    [
      '_web._tcp.head.default.svc.cluster.local SRV 0 50 8080 10-244-0-8.head.default.svc.cluster.local',
      '_web._tcp.head.default.svc.cluster.local SRV 0 50 8080 web-0.head.default.svc.cluster.local',
    ],
    ['10-244-0-8.head.default.svc.cluster.local A 10.244.0.8', 'web-0.head.default.svc.cluster.local A 10.244.0.7'],
  ],
  [
    'alias.default.svc.cluster.local',
    'A',
    'NOERROR',
    ['alias.default.svc.cluster.local CNAME kubernetes.default.svc.cluster.local', 'kubernetes.default.svc.cluster.local A 10.96.0.1'],
  ],
  ['outside.default.svc.cluster.local', 'CNAME', 'NOERROR', ['outside.default.svc.cluster.local CNAME www.example.com']],
  [
    'outside.default.svc.cluster.local',
    'A',
    'NOERROR',
    ['outside.default.svc.cluster.local CNAME www.example.com', 'web.example.com A 192.0.2.80', 'www.example.com CNAME web.example.com'],
  ],
  ['1.0.96.10.in-addr.arpa', 'PTR', 'NOERROR', ['1.0.96.10.in-addr.arpa PTR kubernetes.default.svc.cluster.local']],
  ['7.0.244.10.in-addr.arpa', 'PTR', 'NOERROR', ['7.0.244.10.in-addr.arpa PTR web-0.head.default.svc.cluster.local']],
  [
    '2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa',
    'PTR',
    'NOERROR',
    ['2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR dual.default.svc.cluster.local'],
  ],
  ['www.example.com', 'A', 'NOERROR', ['web.example.com A 192.0.2.80', 'www.example.com CNAME web.example.com']],
  ['nowhere.example.com', 'A', 'NXDOMAIN', []],
];

/** A server for the outside world, and what it was asked. */
interface Outside {
  readonly port: number;
  readonly asked: string[];
  isSilent: boolean;
  close(): void;
}

async function startOutside(): Promise<Outside> {
  const asked: string[] = [];
  const answerTo = (bytes: Buffer, isUDP: boolean): Buffer => {
    const query = dnsPacket.decode(bytes);
    const [question] = query.questions ?? [];
    const name = question?.name ?? '';
    asked.push(name);
    const reply: Packet = { id: query.id ?? 0, type: 'response', flags: 0x0180, questions: query.questions ?? [] };
    if (name === 'www.example.com') {
      reply.answers = [
        { name, type: 'CNAME', ttl: 3600, data: 'web.example.com' },
        { name: 'web.example.com', type: 'A', ttl: 3600, data: '192.0.2.80' },
      ];
    } else if (name === 'large.example.com') {
      if (isUDP) reply.flags = 0x0380;
      else reply.answers = many.map((data) => ({ name, type: 'A', ttl: 60, data }));
    } else {
      reply.flags = 0x0183;
      const data = { mname: 'ns', rname: 'root', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 7 };
      reply.authorities = [{ name: 'example.com', type: 'SOA', ttl: 7, data }];
    }
    return dnsPacket.encode(reply);
  };
  const udp = createSocket('udp4');
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const { port: number } = udp.address();
  const tcp = createServer((socket) => socket.on('data', (chunk: Buffer) => socket.end(withLength(answerTo(chunk.subarray(2), false)))));
  tcp.listen(number, '127.0.0.1');
  await once(tcp, 'listening');
  const outside: Outside = {
    port: number,
    asked,
    isSilent: false,
    close() {
      udp.close();
      tcp.close();
    },
  };
  udp.on('message', (bytes, { port: from, address }) => {
    if (!outside.isSilent) udp.send(answerTo(bytes, true), from, address);
    else asked.push('?');
  });
  return outside;
}

describe('cluster DNS', () => {
  const abort = new AbortController();
  const server = new ObjectServer();
  const client = createClient(server.transport);
  const facts: DNSQueryFacts[] = [];
  let outside: Outside;
  let dns: ClusterDNS;
  let running: Promise<unknown>;
  let dnsPort = 0;

  const query = (name: string, type: string, options: AskOptions = {}) => ask(dnsPort, name, type, options);

  before(async () => {
    outside = await startOutside();
    for (const object of objects) await client(services).create(object);
    for (const [name, ports, endpoints] of slices) {
      const metadata = { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } };
      await client(endpointSlices).create({ metadata, addressType: 'IPv4', ports, endpoints });
    }
    const dependencies = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
    const informers = createInformerFactory(dependencies);
    dns = createClusterDNS({
      ...dependencies,
      informers,
      clusterDomain: 'cluster.local',
      serviceAddress: '10.96.0.10',
      listen: [{ address: '127.0.0.1', port: 0 }],
      upstreams: [{ address: '127.0.0.1', port: outside.port }],
      upstreamTimeoutMs: 150,
      maxSilenceMs: 50,
      onQuery: (fact) => facts.push(fact),
    });
    const dnsRunning = dns.run(abort.signal);
    dnsPort = await dns.listening;
    assert.equal((await query('kubernetes.default.svc.cluster.local', 'A')).rcode, 'SERVFAIL', 'before it knows the Services');
    running = Promise.all([dnsRunning, informers.run(abort.signal)]);
    await informers.synced(abort.signal);
    assert.equal(dns.isReady(), true);
  });

  after(async () => {
    abort.abort();
    await running;
    outside.close();
  });

  for (const [name, type, code, answers, additionals = []] of cases) {
    it(`${type} of ${name}`, async () => {
      for (const transport of ['udp', 'tcp'] as const) {
        const answer = await query(name, type, { transport, udpSize: 1232 });
        assert.equal(answer.rcode, code);
        assert.deepEqual(texts(answer.answers), answers);
        assert.deepEqual(texts(answer.additionals), additionals);
        const isOurs = /cluster\.local$|10\.in-addr|ip6/i.test(name);
        if (isOurs) assert.deepEqual(texts(answer.authorities), answers.length === 0 ? [soa] : []);
        assert.equal(answer.flag_aa, isOurs);
        assert.equal(answer.flag_ra, true);
        assert.equal(answer.flag_rd, true);
        for (const { ttl = 0, type: recordType } of answer.answers ?? []) if (recordType !== 'OPT') assert.ok(ttl > 0 && ttl <= 30);
      }
    });
  }

  it('cuts off what does not fit and gives it over TCP', async () => {
    const name = 'large.default.svc.cluster.local';
    const plain = await query(name, 'A');
    assert.equal(plain.flag_tc, true);
    assert.ok((plain.answers?.length ?? 0) > 20 && (plain.answers?.length ?? 0) < 60);
    assert.equal((await query(name, 'A', { udpSize: 4096 })).answers?.length, 60);
    const whole = await query(name, 'A', { transport: 'tcp' });
    assert.equal(whole.flag_tc, false);
    assert.equal(whole.answers?.length, 60);
  });

  it('asks on over TCP when the answer from outside was cut off', async () => {
    const plain = await query('large.example.com', 'A');
    assert.equal(plain.flag_tc, true);
    assert.equal(plain.answers?.length, 0);
    assert.equal((await query('large.example.com', 'A', { transport: 'tcp' })).answers?.length, 60);
  });

  it('keeps answers from outside, in any spelling', async () => {
    await query('www.example.com', 'A');
    const before = outside.asked.length;
    const answer = await query('WWW.example.com', 'A');
    assert.equal(outside.asked.length, before);
    assert.equal(answer.questions?.[0]?.name, 'WWW.example.com');
    assert.equal(facts.at(-1)?.source, 'cache');
    await Promise.all(Array.from({ length: 20 }, () => query('once.example.com', 'A')));
    assert.equal(outside.asked.filter((name) => name === 'once.example.com').length, 1);
  });

  it('never asks outside for names of the cluster', () => {
    assert.deepEqual(
      outside.asked.filter((name) => name.endsWith('cluster.local')),
      [],
    );
  });

  it('follows Services and endpoints', async () => {
    const head = await client(endpointSlices).get({ namespace: 'default', name: 'head-1' });
    await client(endpointSlices).update({ ...head, endpoints: [{ addresses: ['10.244.0.70'], hostname: 'web-0' }] });
    await client(services).delete({ namespace: 'default', name: 'dual' });
    for (;;) {
      const answer = await query('dual.default.svc.cluster.local', 'A');
      if (answer.rcode === 'NXDOMAIN') break;
    }
    for (;;) {
      const answer = await query('web-0.head.default.svc.cluster.local', 'A');
      if (texts(answer.answers)[0] === 'web-0.head.default.svc.cluster.local A 10.244.0.70') break;
    }
    assert.equal((await query('7.0.244.10.in-addr.arpa', 'PTR')).rcode, 'NXDOMAIN');
    assert.deepEqual(texts((await query('70.0.244.10.in-addr.arpa', 'PTR')).answers), [
      '70.0.244.10.in-addr.arpa PTR web-0.head.default.svc.cluster.local',
    ]);
  });

  it('asks other servers for other domains, as the cluster says', async () => {
    const key = { namespace: 'kube-system', name: 'kube-dns' };
    const [stub, upstream] = [await startOutside(), await startOutside()];
    const data = {
      stubDomains: JSON.stringify({ 'Acme.test.': [`127.0.0.1:${stub.port}`], 'broken.test': ['no address'] }),
      upstreamNameservers: JSON.stringify([`127.0.0.1:${upstream.port}`]),
    };
    try {
      const created = await client(configMaps).create({ metadata: key, data });
      const asksFor = async (name: string, server: Outside) => {
        await query(name, 'A');
        return server.asked.includes(name);
      };
      for (let turn = 0; !(await asksFor(`first-${turn}.acme.test`, stub)); turn++) assert.ok(turn < 100);
      assert.equal(await asksFor('acme.test', stub), true);
      assert.equal(await asksFor('notacme.test', stub), false);
      assert.ok(upstream.asked.includes('notacme.test'));
      assert.equal(await asksFor('x.broken.test', upstream), true);
      assert.equal((await query('kubernetes.default.svc.cluster.local', 'A')).rcode, 'NOERROR');
      await client(configMaps).update({ ...created, data: {} });
      for (let turn = 0; !(await asksFor(`again-${turn}.acme.test`, outside)); turn++) assert.ok(turn < 100);
    } finally {
      stub.close();
      upstream.close();
    }
  });

  it("follows the machine's servers, but for what the cluster says", async () => {
    const [own, clusters] = [await startOutside(), await startOutside()];
    const asksFor = async (name: string, server: Outside) => {
      await query(name, 'A');
      return server.asked.includes(name);
    };
    try {
      dns.useUpstreams([{ address: '127.0.0.1', port: own.port }]);
      assert.equal(await asksFor('moved.example.org', own), true);
      const key = { namespace: 'kube-system', name: 'kube-dns' };
      const data = { upstreamNameservers: JSON.stringify([`127.0.0.1:${clusters.port}`]) };
      await client(configMaps).update({ ...(await client(configMaps).get(key)), data });
      for (let turn = 0; !(await asksFor(`set-${turn}.example.org`, clusters)); turn++) assert.ok(turn < 100);
      dns.useUpstreams([{ address: '127.0.0.1', port: outside.port }]);
      assert.equal(await asksFor('still.example.org', clusters), true);
      await client(configMaps).delete(key);
      for (let turn = 0; !(await asksFor(`unset-${turn}.example.org`, outside)); turn++) assert.ok(turn < 100);
    } finally {
      dns.useUpstreams([{ address: '127.0.0.1', port: outside.port }]);
      own.close();
      clusters.close();
    }
  });

  it('ends loops of aliases', async () => {
    const answer = await query('loop.default.svc.cluster.local', 'A');
    assert.equal(answer.rcode, 'NOERROR');
    assert.ok(texts(answer.answers).every((text) => text.endsWith('CNAME loop.default.svc.cluster.local')));
  });

  it('refuses what it cannot read or do', async () => {
    const header = (flags: number, questions: number) => Buffer.from([1, 2, flags >> 8, flags & 255, 0, questions, 0, 0, 0, 0, 0, 0]);
    const codeOf = async (bytes: Uint8Array) => (await exchangeBytes(dnsPort, bytes, 'udp')).readUInt16BE(2) & 15;
    assert.equal(await codeOf(header(0x0100, 0)), 1);
    assert.equal(await codeOf(header(0x0100, 1)), 1, 'cut off');
    assert.equal(await codeOf(Buffer.concat([header(0x0100, 1), Buffer.from([0xc0, 12, 0, 1, 0, 1])])), 1, 'a name that points to itself');
    assert.equal(await codeOf(Buffer.concat([header(0x2000, 1), Buffer.from([0, 0, 1, 0, 1])])), 4, 'another opcode');
    assert.equal(await codeOf(Buffer.concat([header(0x0100, 1), Buffer.from([0, 0, 1, 0, 3])])), 5, 'another class');
  });

  it('does not answer answers', async () => {
    const respond = createResponder({ zone: () => undefined, forwarder: { forward: async () => undefined }, random: systemRandom });
    assert.equal(await respond(Buffer.from([1, 2, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 'udp'), undefined);
  });

  it('fails soon when nobody outside answers', async () => {
    outside.isSilent = true;
    const unknown = (index: number) => query(`unknown-${index}.example.com`, 'A', { transport: 'tcp' }).catch(() => undefined);
    assert.equal((await unknown(0))?.rcode, 'SERVFAIL');
    // Twice the timeout, less what a timer may be early.
    assert.ok((facts.at(-1)?.durationMs ?? 0) >= 290, 'it waits for an answer, and asks twice');
    const codes = await Promise.all([1, 2, 3, 4].map(unknown));
    assert.deepEqual(
      codes.map((answer) => answer?.rcode),
      ['SERVFAIL', 'SERVFAIL', 'SERVFAIL', 'SERVFAIL'],
    );
    assert.ok(
      facts.slice(-4).every(({ durationMs }) => durationMs < 100),
      'it does not wait for what it knows to be down',
    );
    outside.isSilent = false;
    for (let index = 5; ; index++) {
      if ((await unknown(index))?.rcode === 'NXDOMAIN') break; // it finds out by itself, a second after the failure
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});

describe('sources of queries', () => {
  it('are the cluster and the machine itself', () => {
    const isAllowed = createSourceFilter(['10.200.0.1', '10.244.0.0/16']);
    for (const address of ['127.0.0.1', '::1', '10.200.0.1', '10.244.3.4']) assert.equal(isAllowed(address), true, address);
    for (const address of ['10.200.0.2', '192.0.2.1', 'fd00::1', '']) assert.equal(isAllowed(address), false, address);
    assert.throws(() => createSourceFilter(['cluster']), /no address or CIDR: cluster/);
  });

  it('are all nodes as long as they are there', async () => {
    const abort = new AbortController();
    const client = createClient(new ObjectServer().transport);
    const informers = createInformerFactory({ client, clock: systemClock, random: systemRandom, logger: silentLogger });
    const isNode = followNodeAddresses(informers);
    const addresses = ['10.200.0.2', 'FD00:200::0:2'].map((address) => ({ type: 'InternalIP', address }));
    await client(nodes).create({ metadata: { name: 'foreign' }, status: { addresses } });
    const running = informers.run(abort.signal);
    await informers.synced(abort.signal);
    assert.deepEqual(['10.200.0.2', 'fd00:200::2', '10.200.0.3', '', 'x'].map(isNode), [true, true, false, false, false]);
    const gone = new Promise<void>((resolve) => informers.informer(nodes).addHandler({ onDelete: () => resolve() }));
    await client(nodes).delete({ namespace: '', name: 'foreign' });
    await gone;
    assert.equal(isNode('10.200.0.2'), false);
    abort.abort();
    await running;
  });
});
