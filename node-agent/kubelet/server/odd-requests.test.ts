import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls, { type TLSSocket } from 'node:tls';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { fuzzRuns, fuzzSeed, fuzzTurns } from '../../../api/schema/testing/fuzz-runs.ts';
import { randomInt } from '../../../api/base/random.ts';
import type { KubeletServer } from './kubelet-server.ts';
import { createOddRequests, type OddRequest } from './testing/odd-requests.ts';
import { startStreamingRuntime, type StreamingRuntime } from './testing/streaming-runtime.ts';
import { startTestKubeletServer } from './testing/test-kubelet-server.ts';

const requests = fuzzRuns(800, 20_000);
const connectionsAtOnce = 16;

async function connect(port: number, options: { readonly allowHalfOpen?: boolean } = {}): Promise<TLSSocket> {
  const socket = tls.connect({ ...options, port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** The bytes that come until the connection has ended, or none have come for a while. */
async function answerOf(socket: TLSSocket, waitMs: number): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      resolve(text);
    };
    const timer = systemClock.setTimer(waitMs, done);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n')) done();
    });
    socket.once('close', done);
  });
}

describe('the port of the kubelet', function () {
  this.timeout(1_200_000);
  let runtime: StreamingRuntime;
  let server: KubeletServer;
  const asked: string[] = [];

  const start = async (verbs: readonly string[]) => {
    server = await startTestKubeletServer({
      runtimeURL: runtime.url,
      permits: ({ verb }) => verbs.includes(verb),
      onCommand: () => asked.push('command'),
    });
  };
  beforeEach(async () => {
    asked.length = 0;
    // A command that reads nothing, and a runtime that resets what it was asked every now and then.
    let count = 0;
    runtime = await startStreamingRuntime(async (streams) => {
      await streams.next();
      if (++count % 3 === 0) throw new Error('the runtime fails');
      await streams.next();
    });
  });
  afterEach(async () => {
    await server.close();
    await runtime.close();
  });

  const send = async ({ parts: [first, ...later] }: OddRequest, leave: boolean) => {
    const socket = await connect(server.port);
    socket.write(first ?? '');
    if (!leave) {
      if (later.length > 0) await answerOf(socket, 100);
      for (const part of later) socket.write(part);
      await answerOf(socket, 20);
    }
    socket.destroy();
  };
  const isHealthy = async () => {
    const socket = await connect(server.port);
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer user\r\nConnection: close\r\n\r\n');
    const answer = await answerOf(socket, 20_000);
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 200 /);
  };

  it(`takes ${requests} odd requests, frames and half switches without harm`, async () => {
    await start(['get', 'create', 'update', 'delete', 'patch', '']);
    const random = createSeededRandom(fuzzSeed());
    const next = createOddRequests(random);
    const turns = fuzzTurns('odd requests to the kubelet', requests);
    const client = async () => {
      for (const _ of turns) {
        await send(next(), randomInt(random, 10) === 0).catch((error: unknown) => {
          if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error;
        });
      }
    };
    await Promise.all(Array.from({ length: connectionsAtOnce }, client));
    await isHealthy();
    assert.notEqual(asked.length, 0, 'some requests have reached the runtime');
  });

  it('ends connections of exec that carry nothing', async () => {
    server = await startTestKubeletServer({ runtimeURL: runtime.url, permits: () => true, streamingIdleMs: 300 });
    const socket = await connect(server.port);
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const protocol = 'Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n';
    socket.write(
      `GET /exec/n/p/c?command=x&output=1&input=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer user\r\n${upgrade}${protocol}\r\n`,
    );
    const closed = once(socket, 'close');
    assert.match(await answerOf(socket, 10_000), /^HTTP\/1\.1 101 /);
    const startMs = systemClock.monotonicMs();
    await closed;
    assert.ok(systemClock.monotonicMs() - startMs < 15_000);
  });

  const malformed = ['/%zz', 'http://[/%zz', '/exec/%', '/..', '/%2e%2e/exec/n/p/c', '/a/../exec/n/p/c'];
  for (const path of malformed) {
    it(`answers 400 to ${path}, with and without an upgrade`, async () => {
      await start([]);
      for (const upgrade of ['', 'Connection: Upgrade\r\nUpgrade: x\r\n']) {
        const socket = await connect(server.port);
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
        assert.match(await answerOf(socket, 10_000), /^HTTP\/1\.1 400 /);
        socket.destroy();
      }
      await isHealthyButForbidden();
    });
  }
  const isHealthyButForbidden = async () => {
    const socket = await connect(server.port);
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer user\r\nConnection: close\r\n\r\n');
    assert.match(await answerOf(socket, 20_000), /^HTTP\/1\.1 403 /);
    socket.destroy();
  };

  it('ends a refused switch that the client keeps open', async () => {
    await start([]);
    const socket = await connect(server.port, { allowHalfOpen: true });
    socket.write('GET /exec/n/p/c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const drip = setInterval(() => socket.write('x'), 100);
    assert.match(await answerOf(socket, 10_000), /^HTTP\/1\.1 401 /);
    await new Promise((resolve) => socket.once('close', resolve)); // an error may come before
    clearInterval(drip);
  });

  it('never runs a command for a user who may only read, however the path is spelled', async () => {
    await start(['get']);
    const random = createSeededRandom(fuzzSeed());
    const spell = (text: string) =>
      [...text].map((letter) => (randomInt(random, 4) === 0 ? `%${letter.charCodeAt(0).toString(16)}` : letter)).join('');
    const between = () => ['/', '//', '/./', '/%2e/', '/x/../', '/%2F'][randomInt(random, 6)] ?? '/';
    for (const count of fuzzTurns('spellings of exec', fuzzRuns(200, 5000))) {
      const action = ['exec', 'attach', 'portForward'][count % 3] ?? '';
      const path = `${between()}${spell(action)}${between()}n${between()}p${between()}c`;
      const socket = await connect(server.port);
      const origin = randomInt(random, 10) === 0 ? 'https://x' : '';
      const head = ['Host: x', 'Authorization: Bearer user', 'Connection: Upgrade', 'Upgrade: SPDY/3.1', 'Content-Length: 0'];
      socket.write(`GET ${origin}${path}?command=id&output=1&port=80 HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
      assert.match(await answerOf(socket, 10_000), /^HTTP\/1\.1 (400|403|404) /, path);
      socket.destroy();
    }
    assert.equal(asked.length, 0);
  });
});
