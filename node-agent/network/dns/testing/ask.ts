import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import dnsPacket, { type Packet } from 'dns-packet';
import { withLength } from '../forward/exchange.ts';

export interface AskOptions {
  readonly transport?: 'udp' | 'tcp';
  /** The size of EDNS; absent: without. */
  readonly udpSize?: number;
}

let lastID = 0;

/** Asks the server at 127.0.0.1 as a client would, by another implementation of the protocol. Rejects after two seconds. */
export async function ask(port: number, name: string, type: string, { transport = 'udp', udpSize }: AskOptions = {}): Promise<Packet> {
  const id = ++lastID;
  const query = dnsPacket.encode({
    id,
    type: 'query',
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type }],
    ...(udpSize === undefined ? {} : { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: udpSize, flags: 0 }] }),
  });
  const answer = dnsPacket.decode(await exchangeBytes(port, query, transport));
  if (answer.id !== id) throw new Error('the answer has another id');
  return answer;
}

export function exchangeBytes(port: number, query: Uint8Array, transport: 'udp' | 'tcp'): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error('no answer'));
    if (transport === 'udp') {
      const socket = createSocket('udp4');
      const timer = setTimeout(() => {
        socket.close();
        fail();
      }, 2000);
      socket.on('message', (bytes) => {
        clearTimeout(timer);
        socket.close();
        resolve(bytes);
      });
      socket.send(query, port, '127.0.0.1');
      return;
    }
    const socket = connect(port, '127.0.0.1', () => socket.write(withLength(query)));
    let received = Buffer.alloc(0);
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('error', reject);
    socket.on('close', fail);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      resolve(received.subarray(2));
      socket.destroy();
    });
  });
}

/** Records as text, sorted: `name TYPE data`. */
export function texts(records: Packet['answers']): string[] {
  return (records ?? [])
    .filter(({ type }) => type !== 'OPT')
    .map(({ name, type, data }) => `${name} ${type} ${dataText(type, data)}`)
    .sort();
}

function dataText(type: string, data: unknown): string {
  if (type === 'SRV') {
    const { priority, weight, port, target } = data as Record<string, unknown>;
    return [priority, weight, port, target].join(' ');
  }
  if (type === 'SOA') {
    const { mname, rname, refresh, retry, expire, minimum } = data as Record<string, unknown>;
    return [mname, rname, refresh, retry, expire, minimum].join(' ');
  }
  return String(data);
}
