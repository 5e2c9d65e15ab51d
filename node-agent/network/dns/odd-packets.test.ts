import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import dnsPacket from 'dns-packet';
import { sleep } from '../../../api/base/clock.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { fuzzRuns, fuzzSeed, fuzzTurns } from '../../../api/schema/testing/fuzz-runs.ts';
import { createClusterDNS } from './cluster-dns.ts';
import { withLength } from './forward/exchange.ts';
import { ask, texts } from './testing/ask.ts';

const packets = fuzzRuns(1000, 10_000);
/** The largest datagram that the server sends, whatever size EDNS asks for. */
const maxDatagramBytes = 1232;

const names = ['kubernetes.default.svc.cluster.local', 'missing.default.svc.cluster.local', '1.0.96.10.in-addr.arpa', 'a.example.com', '.'];
const types = ['A', 'AAAA', 'SRV', 'PTR', 'ANY', 'SOA', 'TXT', 'AXFR'] as const;

function pick<T>(random: Random, [first, ...others]: readonly [T, ...T[]]): T {
  return [first, ...others][randomInt(random, others.length + 1)] ?? first;
}

/** A query that is good, or was before bytes of it were changed, cut off, added or made to point elsewhere. */
function oddPacket(random: Random): Buffer {
  const question = () => ({ name: pick(random, names as [string, ...string[]]), type: pick(random, types) });
  const bytes = dnsPacket.encode({
    id: randomInt(random, 65_536),
    type: pick(random, ['query', 'query', 'query', 'response']),
    flags: randomInt(random, 4) === 0 ? randomInt(random, 32_768) : dnsPacket.RECURSION_DESIRED,
    questions: Array.from({ length: pick(random, [1, 1, 1, 0, 2]) }, question),
    ...(randomInt(random, 2) === 0
      ? { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: randomInt(random, 65_536), flags: randomInt(random, 65_536) }] }
      : {}),
  });
  switch (randomInt(random, 7)) {
    case 0:
      return bytes;
    case 1:
      return bytes.subarray(0, randomInt(random, bytes.length + 1));
    case 2:
      return Buffer.concat([bytes, random.bytes(randomInt(random, 600))]);
    case 3:
      return Buffer.from(random.bytes(randomInt(random, 200)));
    case 4: {
      // A pointer of names, forwards, backwards or to itself.
      const at = 12 + randomInt(random, Math.max(1, bytes.length - 13));
      bytes.writeUInt16BE(0xc000 | randomInt(random, bytes.length + 4), Math.min(at, bytes.length - 2));
      return bytes;
    }
    case 5:
      bytes.writeUInt16BE(randomInt(random, 65_536), pick(random, [4, 6, 8, 10]));
      return bytes;
    default:
      for (let count = 1 + randomInt(random, 8); count > 0; count--) bytes[randomInt(random, bytes.length)] = randomInt(random, 256);
      return bytes;
  }
}

describe(`${packets} odd packets to cluster DNS`, function () {
  this.timeout(1_200_000);
  const abort = new AbortController();
  const client = createClient(new ObjectServer().transport);
  let port = 0;
  let running: Promise<unknown>;

  before(async () => {
    const spec = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ name: 'https', port: 443 }] };
    await client(services).create({ metadata: { namespace: 'default', name: 'kubernetes' }, spec });
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const informers = createInformerFactory({ ...parts, client });
    const dns = createClusterDNS({
      ...{ ...parts, informers, clusterDomain: 'cluster.local', listen: [{ address: '127.0.0.1', port: 0 }] },
      ...{ upstreams: [], maxSilenceMs: 50 },
    });
    const serving = dns.run(abort.signal);
    port = await dns.listening;
    running = Promise.all([serving, informers.run(abort.signal)]);
    await informers.synced(abort.signal);
  });
  after(async () => {
    abort.abort();
    await running;
  });

  const isHealthy = async (transport: 'udp' | 'tcp') => {
    // A datagram may be lost where many have come.
    const asking = () => ask(port, 'kubernetes.default.svc.cluster.local', 'A', { transport });
    const answer = await asking().catch(asking).catch(asking);
    assert.deepEqual(texts(answer.answers), ['kubernetes.default.svc.cluster.local A 10.96.0.1'], transport);
  };

  it('as datagrams are answered briefly, or not at all', async () => {
    const random = createSeededRandom(fuzzSeed());
    const socket = createSocket('udp4');
    let answers = 0;
    let largest = 0;
    socket.on('message', (bytes) => {
      answers++;
      largest = Math.max(largest, bytes.length);
    });
    for (const turn of fuzzTurns('odd DNS packets over UDP', packets)) {
      socket.send(oddPacket(random), port, '127.0.0.1');
      if (turn % 20 === 19) await sleep(systemClock, 2); // the buffer of the socket is bounded
      if (turn % 1000 === 999) await isHealthy('udp');
    }
    await isHealthy('udp');
    socket.close();
    assert.ok(answers > packets / 10, `${answers} were answered`);
    assert.ok(largest > 0 && largest <= maxDatagramBytes, `${largest} bytes`);
  });

  it('over connections end these at most', async () => {
    const random = createSeededRandom(fuzzSeed() + 1);
    const turns = fuzzTurns('odd DNS packets over TCP', packets);
    const work = async () => {
      for (let turn = turns.next(); turn.done !== true; ) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        await once(socket, 'connect');
        const read = socket.resume();
        for (let count = 1 + randomInt(random, 8); count > 0 && turn.done !== true; count--, turn = turns.next()) {
          const bytes = withLength(oddPacket(random));
          // A length that is wrong leaves the rest of the connection out of step.
          if (randomInt(random, 10) === 0) bytes.set(random.bytes(2));
          if (!socket.destroyed) socket.write(bytes);
        }
        await new Promise((resolve) => setImmediate(resolve));
        if (randomInt(random, 2) === 0) read.destroy();
        else read.end();
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    await isHealthy('tcp');
    await isHealthy('udp');
  });
});
