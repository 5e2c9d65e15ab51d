import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { sleep } from '../../../api/base/clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { SPDYStream } from '../../../api/streaming/spdy-session.ts';
import type { KubeletServer } from './kubelet-server.ts';
import { startStreamingRuntime, type StreamingRuntime } from './testing/streaming-runtime.ts';
import { startTestKubeletServer } from './testing/test-kubelet-server.ts';

const megabyte = Buffer.alloc(1 << 20);

describe('streams of a command', function () {
  this.timeout(60_000);
  let runtime: StreamingRuntime;
  let server: KubeletServer;
  const start = async (command: Parameters<typeof startStreamingRuntime>[0]) => {
    runtime = await startStreamingRuntime(command);
    server = await startTestKubeletServer({ runtimeURL: runtime.url, permits: () => true });
  };
  afterEach(async () => {
    await server.close();
    await runtime.close();
  });
  const open = async (path: string) => {
    const socket = new WebSocket(`wss://127.0.0.1:${server.port}${path}`, ['v5.channel.k8s.io'], {
      rejectUnauthorized: false,
      headers: { authorization: 'Bearer user' },
    });
    socket.on('error', () => {});
    await once(socket, 'open');
    return socket;
  };
  const stdinMessage = (data: Buffer) => Buffer.concat([Buffer.of(0), data]);

  it('hold a client back whose command reads nothing, and give a command all of its input', async () => {
    const begin = Promise.withResolvers<void>();
    const received = Promise.withResolvers<number>();
    await start(async (streams) => {
      const error = await nextOf(streams);
      const stdin = await nextOf(streams);
      await begin.promise;
      let count = 0;
      for await (const bytes of stdin.incoming) count += bytes.length;
      received.resolve(count);
      error.end();
      await sleep(systemClock, 200);
    });
    const socket = await open('/exec/n/p/c?command=sleep&input=1&output=1');
    const total = 60;
    let sent = 0;
    const sending = (async () => {
      while (sent < total) {
        await new Promise((resolve) => socket.send(stdinMessage(megabyte), resolve));
        sent++;
      }
      socket.send(Buffer.of(255, 0));
    })();
    await untilStill(() => sent);
    // The kernel and the runtime's session hold this much; the rest waits with the client.
    assert.equal(sent < 45, true, `${sent} of ${total} messages were taken`);
    begin.resolve();
    assert.equal(await received.promise, total * megabyte.length);
    await sending;
    socket.terminate();
  });

  it('end with a client that has gone before the runtime was ready', async () => {
    await start(async (streams) => {
      await streams.next();
      await sleep(systemClock, 300);
      await new Promise(() => {}); // a command that never ends
    });
    const socket = await open('/exec/n/p/c?command=sleep&output=1');
    socket.terminate();
    const end = systemClock.monotonicMs() + 10_000;
    while (runtime.connections() > 0 && systemClock.monotonicMs() < end) await sleep(systemClock, 20);
    assert.equal(runtime.connections(), 0);
  });

  it('answer pings, but not without bound', async () => {
    await start(async (streams) => {
      for await (const _stream of { [Symbol.asyncIterator]: () => streams }); // until the connection ends
    });
    const socket = await open('/exec/n/p/c?command=sleep&output=1');
    socket.ping('x');
    const [pong] = (await once(socket, 'pong')) as [Buffer];
    assert.equal(pong.toString(), 'x');
    // A client that reads nothing, and pings for ever.
    socket.pause();
    const ping = Buffer.alloc(125);
    let sent = 0;
    const total = 400_000;
    const sending = (async () => {
      for (; sent < total && socket.readyState === socket.OPEN; sent += 1000) {
        for (let count = 0; count < 999; count++) socket.ping(ping);
        await new Promise((resolve) => socket.ping(ping, undefined, resolve));
      }
    })();
    await untilStill(() => sent);
    assert.equal(sent < total && socket.readyState === socket.OPEN, true, `${sent} pings were taken`);
    socket.terminate();
    await sending;
  });
});

/** Resolves when a number has not changed for a while. */
async function untilStill(value: () => number): Promise<void> {
  for (let before = -1; before !== value(); ) {
    before = value();
    await sleep(systemClock, 1500);
  }
}

async function nextOf(streams: AsyncIterator<SPDYStream>): Promise<SPDYStream> {
  const { value, done } = await streams.next();
  if (done === true) throw new Error('the connection has ended');
  return value;
}
