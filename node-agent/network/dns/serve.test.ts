import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { sleep } from '../../../api/base/clock.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { runProgram } from '../../linux/processes/run-program.ts';
import { withLength } from './forward/exchange.ts';
import { type DNSListener, listenDNS } from './serve.ts';
import { createSourceFilter } from './source-filter.ts';
import { createSourceTurns } from './source-turns.ts';

describe('the DNS server', function () {
  this.timeout(60_000);
  let listener: DNSListener;
  let answered = 0;
  const start = async (answerBytes: number, isAllowed: (address: string) => boolean = () => true) => {
    answered = 0;
    const turns = createSourceTurns({ clock: systemClock, afterOthers: (run) => void setImmediate(run) });
    const respond = async () => {
      answered++;
      return { bytes: Buffer.alloc(answerBytes), source: 'cluster' as const, type: 1, code: 0 };
    };
    listener = await listenDNS({ address: '127.0.0.1', port: 0, respond, isAllowed, turns, logger: silentLogger });
  };
  afterEach(() => listener.close());
  const open = async () => {
    const socket = connect(listener.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const question = withLength(Buffer.alloc(20));
  const receive = async (socket: Socket, bytes: number) => {
    let received = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) if ((received += chunk.length) >= bytes) return;
    throw new Error(`${received} bytes have come`);
  };

  it('answers no more than is read, and a client that reads has its answers', async () => {
    await start(60_000);
    const greedy = await open();
    greedy.pause();
    for (let count = 0; count < 5000; count++) greedy.write(question);
    let before = -1;
    while (before !== answered) {
      before = answered;
      await sleep(systemClock, 500);
    }
    // The kernel's buffers and one of ours; not the 300 MB that were asked for.
    assert.equal(answered < 500, true, `${answered} answers`);
    const polite = await open();
    polite.write(question);
    await receive(polite, 60_002);
    greedy.destroy();
  });

  it('answers all questions of one connection in pieces of any size', async () => {
    await start(100);
    const socket = await open();
    const all = Buffer.concat(Array.from({ length: 300 }, () => question));
    const reading = receive(socket, 300 * 102);
    for (let at = 0; at < all.length; at += 7) socket.write(all.subarray(at, at + 7));
    await reading;
    assert.equal(answered, 300);
  });

  it('gives one source no more than its share of connections', async () => {
    await start(10);
    const sockets = await Promise.all(Array.from({ length: 101 }, open));
    await sleep(systemClock, 200);
    assert.equal(sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length <= 100, true);
    for (const socket of sockets) socket.destroy();
  });

  it('survives clients that reset the connection at once', async () => {
    await start(10, createSourceFilter([]));
    await Promise.all(
      Array.from(
        { length: 300 },
        () =>
          new Promise<void>((resolve) => {
            const socket = connect(listener.port, '127.0.0.1', () => socket.resetAndDestroy());
            socket.on('error', () => {}).on('close', () => resolve());
          }),
      ),
    );
    const socket = await open();
    socket.write(question);
    await receive(socket, 12);
    socket.destroy();
  });

  it('survives datagrams from port 0', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    await start(10);
    const program = `
import socket, struct, sys
port = int(sys.argv[1]); payload = b"x" * 20
udp = struct.pack("!HHHH", 0, port, 8 + len(payload), 0) + payload
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).sendto(udp, ("127.0.0.1", 0))`;
    await runProgram('python3', ['-c', program, String(listener.port)]);
    await sleep(systemClock, 200); // an error in the listener would end the process
    assert.equal(answered, 0);
  });
});

describe('addresses of queries', () => {
  it('may have a scope, and may be missing', () => {
    const isAllowed = createSourceFilter(['fe80::/64', '10.0.0.0/8']);
    const cases: [string, boolean][] = [
      ['fe80::1%cni0', true],
      ['fd00::1%cni0', false],
      ['10.1.1.1', true],
      ['', false],
      ['x', false],
      ['::ffff:127.0.0.1', true],
    ];
    for (const [address, expected] of cases) assert.equal(isAllowed(address), expected, address);
  });
});

describe('turns of sources', () => {
  const dependencies = () => {
    const time = { ms: 0 };
    const later: (() => void)[] = [];
    const clock = { ...systemClock, monotonicMs: () => time.ms };
    return { time, clock, later, afterOthers: (run: () => void) => void later.push(run) };
  };

  it('go round, whoever has more waiting, and leave others their time', () => {
    const { later, time, ...parts } = dependencies();
    const turns = createSourceTurns(parts);
    const done: string[] = [];
    const work = (name: string) => async () => {
      done.push(name);
      time.ms++;
    };
    for (let count = 0; count < 20; count++) turns.take('many', work('many'));
    for (let count = 0; count < 3; count++) turns.take('few', work('few'));
    assert.deepEqual(done, ['many', 'many', 'many', 'many']);
    later.shift()?.();
    assert.deepEqual(done.slice(4), ['many', 'few', 'many', 'few']);
  });

  it('refuse what is too much of one source, and nobody else', () => {
    const turns = createSourceTurns({ ...dependencies() });
    const never = () => new Promise<void>(() => {});
    let taken = 0;
    while (taken < 1000 && turns.take('many', never)) taken++;
    assert.equal(taken, 300);
    assert.equal(turns.take('other', never), true);
  });

  it('go on when work has been done', async () => {
    const { later, ...parts } = dependencies();
    const turns = createSourceTurns(parts);
    let done = 0;
    for (let count = 0; count < 250; count++)
      assert.equal(
        turns.take('a', async () => {
          await Promise.resolve();
          done++;
        }),
        true,
      );
    while (done < 250) {
      await new Promise((resolve) => setImmediate(resolve));
      later.shift()?.();
    }
  });
});
