import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { Probe } from '../../../api/types/core-v1.ts';
import { CRIError } from '../../cri/cri-error.ts';
import type { ContainerRuntime, ExecResult } from '../../cri/runtime.ts';
import { runProbe } from './run-probe.ts';

/** Runs no containers: answers commands as told. */
function runtimeThat(answer: (command: readonly string[]) => Promise<ExecResult>): ContainerRuntime {
  return { execSync: (_id: string, command: readonly string[]) => answer(command) } as unknown as ContainerRuntime;
}

const result = (exit_code: number, stdout: string, stderr = ''): ExecResult => ({
  exit_code,
  stdout: Buffer.from(stdout),
  stderr: Buffer.from(stderr),
});
const neverAsked = runtimeThat(() => Promise.reject(new Error('no command was expected')));

function ask(probe: Probe, runtime = neverAsked, ports: { name: string; containerPort: number }[] = []) {
  const container = { name: 'c', ports, env: [{ name: 'A', value: 'a' }] };
  return runProbe({ probe, container, containerID: 'i', podIP: '127.0.0.1', runtime, clock: systemClock, version: '1.36' });
}

describe('runProbe over HTTP', () => {
  let server: http.Server;
  let port = 0;
  const asked: http.IncomingHttpHeaders[] = [];
  before(async () => {
    server = http.createServer((request, response) => {
      asked.push(request.headers);
      const [, what = '', to = ''] = /^\/([a-z]+|\d+)(?:\?to=(.*))?$/.exec(request.url ?? '') ?? [];
      if (what === 'hang') return;
      if (what === 'cut') return void request.socket.destroy();
      if (what === 'switch')
        return void request.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      if (what === 'drip' || what === 'dripbody') {
        if (what === 'dripbody') response.writeHead(200);
        else request.socket.write('HTTP/1.1 200 OK\r\nX: ');
        const timer = setInterval(() => (what === 'drip' ? request.socket.write('x') : response.write('x')), 100);
        request.socket.on('close', () => clearInterval(timer));
        return;
      }
      response.writeHead(Number(what), to ? { location: to } : {}).end('body');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const cases: [string, boolean, string][] = [
    ['/200', true, ''],
    ['/500', false, 'HTTP probe failed with statuscode: 500'],
    ['/404', false, 'HTTP probe failed with statuscode: 404'],
    ['/302?to=/200', true, ''],
    ['/302?to=/503', false, 'HTTP probe failed with statuscode: 503'],
  ];
  for (const [path, ok, output] of cases) {
    it(path, async () => assert.deepEqual(await ask({ httpGet: { path, port } }), { ok, output }));
  }
  for (const path of ['/302?to=http://elsewhere.example/', '/399', '/302'])
    it(`${path} is followed nowhere, which is worth a warning`, async () =>
      assert.deepEqual(await ask({ httpGet: { path, port } }), {
        ...{ ok: true, warns: true, output: 'Probe terminated redirects, Response body: body' },
      }));

  it('names the port, sends headers, and says who asks', async () => {
    const httpHeaders = [
      { name: 'X-Custom', value: 'v' },
      { name: 'Host', value: 'web.example' },
    ];
    const outcome = await ask({ httpGet: { path: '/200', port: 'web', httpHeaders } }, neverAsked, [{ name: 'web', containerPort: port }]);
    assert.equal(outcome.ok, true);
    const { host, accept, 'user-agent': agent, 'x-custom': custom } = asked.at(-1) ?? {};
    assert.deepEqual([host, accept, agent, custom], ['web.example', '*/*', 'kube-probe/1.36', 'v']);
  });

  it('gives up after its timeout', async () => {
    const { ok, output } = await ask({ httpGet: { path: '/hang', port }, timeoutSeconds: 1 });
    assert.deepEqual(
      [ok, output],
      [false, `Get "http://127.0.0.1:${port}/hang": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`],
    );
  });

  it('gives up after its timeout where bytes come now and then', async () => {
    for (const [path, when] of [
      ['drip', 'exceeded while awaiting headers'],
      ['dripbody', 'or context cancellation while reading body'],
    ]) {
      const started = Date.now();
      const { ok, output } = await ask({ httpGet: { path: `/${path}`, port }, timeoutSeconds: 1 });
      assert.deepEqual([ok, output], [false, `Get "http://127.0.0.1:${port}/${path}": context deadline exceeded (Client.Timeout ${when})`]);
      assert.equal(Date.now() - started < 5000, true);
    }
  });

  it('takes a switch of protocols for an answer', async () => {
    const outcome = await ask({ httpGet: { path: '/switch', port }, timeoutSeconds: 1 });
    assert.deepEqual(outcome, { ok: false, output: 'HTTP probe failed with statuscode: 101' });
  });

  it('tells of connections that break or are refused', async () => {
    assert.deepEqual(await ask({ httpGet: { path: '/cut', port } }), { ok: false, output: `Get "http://127.0.0.1:${port}/cut": EOF` });
    const refused = `Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused`;
    assert.deepEqual(await ask({ httpGet: { port: 1 } }), { ok: false, output: refused });
    assert.deepEqual(await ask({ httpGet: { port: 'none' } }), { ok: false, output: `couldn't find port: "none" in container "c"` });
  });

  it('over TCP', async () => {
    assert.deepEqual(await ask({ tcpSocket: { port } }), { ok: true, output: '' });
    assert.deepEqual(await ask({ tcpSocket: { port: 1 } }), { ok: false, output: 'dial tcp 127.0.0.1:1: connect: connection refused' });
  });
});

describe('runProbe by command', () => {
  const cases: [string, () => Promise<ExecResult>, boolean, string][] = [
    ['success', async () => result(0, 'fine'), true, 'fine'],
    ['failure', async () => result(2, 'out', 'err'), false, 'outerr'],
    ['too slow', () => Promise.reject(new CRIError('DeadlineExceeded', 'x')), false, 'command "check a" timed out'],
    ['no such program', () => Promise.reject(new CRIError('Unknown', 'not found')), false, 'rpc error: code = Unknown desc = not found'],
  ];
  for (const [name, answer, ok, output] of cases) {
    it(name, async () => {
      const commands: (readonly string[])[] = [];
      const runtime = runtimeThat((command) => {
        commands.push(command);
        return answer();
      });
      assert.deepEqual(await ask({ exec: { command: ['check', '$(A)'] } }, runtime), { ok, output });
      assert.deepEqual(commands, [['check', 'a']]);
    });
  }
});

describe('runProbe over gRPC', () => {
  const server = new Server();
  let port = 0;
  before(async () => {
    const pass = (bytes: Buffer) => bytes;
    const Check = {
      path: '/grpc.health.v1.Health/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    };
    server.addService(
      { Check },
      {
        Check: (call: { request: Buffer }, answer: (error: object | null, response?: Buffer) => void) => {
          const service = call.request.subarray(2).toString();
          if (service === 'unknown') return answer({ code: 5, details: 'unknown service' });
          answer(null, service === 'sick' ? Buffer.from([0x08, 2]) : Buffer.from([0x08, 1]));
        },
      },
    );
    port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    );
  });
  after(() => server.forceShutdown());

  const cases: [string, boolean, string][] = [
    ['', true, 'service healthy'],
    ['web', true, 'service healthy'],
    ['sick', false, 'service unhealthy (responded with "NOT_SERVING")'],
    ['unknown', false, 'error: health rpc probe failed: unknown service'],
  ];
  for (const [service, ok, output] of cases) {
    it(`service "${service}"`, async () => assert.deepEqual(await ask({ grpc: { port, service } }), { ok, output }));
  }
  it('nobody there', async () => {
    const { ok } = await ask({ grpc: { port: 1 } });
    assert.equal(ok, false);
  });
});
