import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { socketChannel } from './socket-channel.ts';

/** A connection that takes what is written and never says that it is done with it. */
const stuck = () => new Duplex({ writableHighWaterMark: 1, read() {}, write() {} });

describe('a socket as a channel', () => {
  it('is closed when the peer resets it, and whoever waits to write goes on', async () => {
    const socket = stuck();
    const channel = socketChannel(socket, Buffer.alloc(0));
    const writing = channel.write(Buffer.from('more than it takes'));
    socket.destroy(new Error('read ECONNRESET'));
    await channel.closed;
    await writing;
    await assert.rejects(channel.write(Buffer.from('x')), /the connection is closed/);
  });
  it('leaves no listeners behind, however often a writer waits', async () => {
    const written: (() => void)[] = [];
    const socket = new Duplex({ writableHighWaterMark: 1, read() {}, write: (_chunk, _encoding, done) => void written.push(done) });
    const channel = socketChannel(socket, Buffer.alloc(0));
    const listeners = () => socket.listenerCount('close') + socket.listenerCount('drain');
    const before = listeners();
    for (let index = 0; index < 3; index++) {
      const writing = channel.write(Buffer.from('much'));
      written.shift()?.();
      await writing;
    }
    assert.equal(listeners(), before);
  });
  it('gives what was read ahead first', async () => {
    const socket = stuck();
    const { incoming } = socketChannel(socket, Buffer.from('head'));
    socket.push('tail');
    socket.push(null);
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), 'headtail');
  });
});
