import assert from 'node:assert/strict';
import { constants, createInflate } from 'node:zlib';
import { createChannelPair } from '../client/channel-pair.ts';
import { spdyDictionary } from './spdy-dictionary.ts';
import { createSPDYEncoder } from './spdy-frames.ts';
import type { InflateHeaders } from './spdy-headers.ts';
import { createSPDYSession, type SPDYStream } from './spdy-session.ts';

function createTestInflate(): InflateHeaders {
  const stream = createInflate({ dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  let parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  return (block) =>
    new Promise((resolve, reject) => {
      stream.once('error', reject);
      stream.write(block, () => {
        stream.flush(constants.Z_SYNC_FLUSH, () => {
          resolve(Buffer.concat(parts));
          parts = [];
        });
      });
    });
}

function connect() {
  const [near, far] = createChannelPair();
  const client = createSPDYSession({ channel: near, role: 'client', inflate: createTestInflate() });
  const server = createSPDYSession({ channel: far, role: 'server', inflate: createTestInflate() });
  return { client, server, near, far };
}

async function text(stream: SPDYStream): Promise<string> {
  const parts = await Array.fromAsync(stream.incoming);
  return new TextDecoder().decode(Buffer.concat(parts));
}

const bytes = (content: string) => new TextEncoder().encode(content);

async function first(streams: AsyncIterable<SPDYStream>): Promise<SPDYStream> {
  for await (const stream of streams) return stream;
  throw new Error('no stream');
}

describe('SPDY session', () => {
  it('carries several streams with headers in both directions', async () => {
    const { client, server } = connect();
    const echo = (async () => {
      let count = 0;
      for await (const stream of server.accepted) {
        count++;
        const content = await text(stream);
        await stream.write(bytes(`${stream.headers.get('streamtype')}:${content}`));
        stream.end();
        await stream.closed;
        if (count === 2) return;
      }
    })();
    for (const streamType of ['stdin', 'error']) {
      const stream = await client.open({ streamType });
      await stream.write(bytes('hello '));
      await stream.write(bytes(streamType));
      stream.end();
      assert.equal(await text(stream), `${streamType}:hello ${streamType}`);
      await stream.closed;
    }
    await echo;
    client.close();
    await Promise.all([client.closed, server.closed]);
  });

  it('moves more than fits into its buffers, without loss', async () => {
    const { client, server } = connect();
    const size = 6 * 1024 * 1024;
    const received = (async () => {
      const stream = await first(server.accepted);
      let sum = 0;
      for await (const part of stream.incoming) sum += part.length;
      stream.end();
      return sum;
    })();
    const stream = await client.open({});
    for (let sent = 0; sent < size; sent += 256 * 1024) await stream.write(new Uint8Array(256 * 1024));
    stream.end();
    assert.equal(await received, size);
    await stream.closed;
  });

  it('reads on when a stream is not read to its end', async () => {
    const { client, server } = connect();
    const [unread, read] = [await client.open({ name: 'unread' }), await client.open({ name: 'read' })];
    const streams: SPDYStream[] = [];
    for await (const stream of server.accepted) if (streams.push(stream) === 2) break;
    const [flood, message] = streams;
    assert.ok(flood && message);
    const flooding = (async () => {
      for (let i = 0; i < 40; i++) await flood.write(new Uint8Array(256 * 1024));
      flood.end();
      await message.write(bytes('through'));
      message.end();
    })();
    for await (const part of unread.incoming) if (part.length > 0) break;
    unread.end();
    assert.equal(await text(read), 'through');
    await flooding;
  });

  it('a reset ends a stream and not the others', async () => {
    const { client, server } = connect();
    const [one, other] = [await client.open({ name: 'one' }), await client.open({ name: 'other' })];
    const [mine] = [await first(server.accepted)];
    mine.destroy();
    await assert.rejects(text(one), /stream was reset with status 5/);
    other.end();
    await one.closed;
    assert.equal(client.closed instanceof Promise, true);
  });

  it('the end of the connection ends everything', async () => {
    const { client, server, far } = connect();
    const stream = await client.open({});
    far.destroy();
    await assert.rejects(text(stream), /connection is closed/);
    await Promise.all([client.closed, server.closed, stream.closed]);
    await assert.rejects(client.open({}), /connection is closed/);
  });

  it('bytes that are no SPDY end the connection', async () => {
    const [near, far] = createChannelPair();
    const session = createSPDYSession({ channel: near, role: 'server', inflate: createTestInflate() });
    await far.write(bytes('\u0080GET / HTTP/1.1\r\n\r\n'.repeat(4)));
    far.end();
    await session.closed;
    assert.deepEqual(await Array.fromAsync(session.accepted), []);
  });

  it('answers pings and refuses streams with numbers of its own', async () => {
    const [near, far] = createChannelPair();
    const session = createSPDYSession({ channel: near, role: 'server', inflate: createTestInflate() });
    const encoder = createSPDYEncoder();
    await far.write(encoder.ping(7));
    await far.write(encoder.open(2, {}));
    const answers: Uint8Array[] = [];
    for await (const answer of far.incoming) if (answers.push(answer) === 2) break;
    assert.deepEqual(Buffer.concat(answers).toString('hex'), '800300060000000400000007' + '80030003000000080000000200000001');
    far.destroy();
    await session.closed;
  });
});
