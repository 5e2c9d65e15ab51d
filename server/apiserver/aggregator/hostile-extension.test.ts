import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { once } from 'node:events';
import https from 'node:https';
import { watchLoop } from '../../../api/base/loop-watch.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { eventually } from '../testing/complete-server.ts';
import { type AggregatingServer, startAggregatingServer } from './testing/start-aggregating-server.ts';
import { extensionGroup } from './testing/extension-server.ts';

const group = `/apis/${extensionGroup}`;
const registration = '/apis/apiregistration.k8s.io/v1/apiservices';

/** Answers the probe of availability, and leaves all other requests to `answer`. */
const probedBut =
  (answer: RequestListener): RequestListener =>
  (request, response) => {
    const isProbe =
      request.url === `${group}/v1` && request.headers['x-remote-user'] === 'system:kube-aggregator' && request.headers.accept === '*/*';
    if (isProbe) return void response.end('{}');
    answer(request, response);
  };

describe('an aggregated API server that means harm', function () {
  this.timeout(180_000);
  let server: AggregatingServer;
  let condition: () => Promise<{ status: string; reason: string; message: string } | undefined>;
  const send = (method: string, target: string, body: unknown) =>
    server.ask(method, target, {
      body: JSON.stringify(body),
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
    });

  before(async function () {
    const started = await startAggregatingServer();
    if (!started) return this.skip();
    server = started;
    const { address, port, caPEM } = server.extension;
    const ports = [{ name: 'https', port }];
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'ext' } });
    await send('POST', '/api/v1/namespaces/ext/services', { metadata: { name: 'api' }, spec: { ports: [{ name: 'https', port: 443 }] } });
    const slice = {
      metadata: { name: 'api-1', labels: { 'kubernetes.io/service-name': 'api' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address] }],
      ports,
    };
    await send('POST', '/apis/discovery.k8s.io/v1/namespaces/ext/endpointslices', slice);
    const service = {
      group: extensionGroup,
      version: 'v1',
      groupPriorityMinimum: 2000,
      versionPriority: 15,
      service: { namespace: 'ext', name: 'api' },
      caBundle: Buffer.from(caPEM).toString('base64'),
    };
    await send('POST', registration, { metadata: { name: `v1.${extensionGroup}` }, spec: service });
    condition = async () => {
      const { status } = JSON.parse((await server.ask('GET', `${registration}/v1.${extensionGroup}`)).text) as APIService;
      const [found] = status?.conditions ?? [];
      return found && { status: found.status, reason: found.reason ?? '', message: found.message ?? '' };
    };
    await eventually('that it is available', async () => (await condition())?.status === 'True');
  });
  after(() => server?.close());
  afterEach(() => {
    server.extension.answer = undefined;
    server.extension.upgrade = undefined;
  });

  /** Has the documents asked for anew. */
  let touched = 0;
  const touch = () => send('PATCH', `${registration}/v1.${extensionGroup}`, { metadata: { annotations: { touched: String(touched++) } } });
  const freshness = async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const { items } = JSON.parse((await server.ask('GET', '/apis', { headers: { accept } })).text) as {
      items: { metadata: { name: string }; versions: { freshness: string; resources?: unknown[] }[] }[];
    };
    return items.find(({ metadata }) => metadata.name === extensionGroup)?.versions[0];
  };

  const megabyte = Buffer.alloc(1024 * 1024, 0x61);
  const drip: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  };
  const documents: readonly (readonly [name: string, answer: RequestListener])[] = [
    [
      '50 MB',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        let left = 50;
        const more = () => {
          while (left-- > 0 && response.write(megabyte));
          if (left > 0) response.once('drain', more);
          else response.end();
        };
        more();
      },
    ],
    ['no JSON', (_request, response) => void response.end('<html>')],
    ['deep nesting', (_request, response) => void response.end(`{"items":${'['.repeat(500_000)}`)],
    ['the wrong shape', (_request, response) => void response.end('{"items":[1,null,{"versions":5}],"resources":{},"paths":[]}')],
    [
      'a redirect to a metadata address',
      (_request, response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end(),
    ],
    ['a broken connection', (request) => void request.socket.destroy()],
    [
      'a body that is cut',
      (request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{', () => request.socket.destroy());
      },
    ],
  ];
  for (const [name, answer] of documents)
    it(`documents: ${name}: stale, and nothing else suffers`, async () => {
      await touch();
      await eventually('current documents', async () => (await freshness())?.freshness === 'Current');
      const holds: number[] = [];
      server.extension.answer = probedBut(answer);
      await touch();
      const loop = watchLoop({ clock: systemClock, onHold: ({ ms }) => holds.push(ms) });
      await eventually('stale documents', async () => (await freshness())?.freshness === 'Stale');
      loop.stop();
      assert.equal((await condition())?.status, 'True');
      assert.equal((await server.ask('GET', '/api/v1/namespaces/default')).status, 200);
      assert.equal((await server.ask('GET', '/openapi/v2')).status, 200);
      // The extension server is in this process too, and other processes take their share: its order is meant, not its value.
      assert.ok(Math.max(0, ...holds) < 1000, `held for ${Math.max(0, ...holds)} ms`);
    });

  it('documents that never end: given up after a time, the rest is served meanwhile', async () => {
    server.extension.answer = probedBut(drip);
    await touch();
    assert.equal((await server.ask('GET', '/api/v1/namespaces/default')).status, 200);
    await eventually('stale documents', async () => (await freshness())?.freshness === 'Stale');
  });

  it('the discovery of one that hangs is answered after 5 seconds', async () => {
    server.extension.answer = probedBut(() => {});
    const { status, text } = await server.ask('GET', `${group}/v1`);
    assert.deepEqual([status, text], [503, 'error trying to reach service: context deadline exceeded\n']);
  });

  it('passes a watch on as it comes, and ends it where its client goes', async () => {
    const ended = Promise.withResolvers<void>();
    server.extension.answer = probedBut((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"type":"ADDED"}\n');
      request.socket.once('close', () => ended.resolve());
    });
    const [hostname, port] = server.served.host.split(':');
    const request = https.get({ hostname, port, path: `${group}/v1/echoes?watch=1`, agent: false, ...(await server.served.credentials()) });
    const [response] = await once(request, 'response');
    const [chunk] = await once(response, 'data');
    assert.equal(String(chunk), '{"type":"ADDED"}\n');
    request.destroy();
    await ended.promise;
  });

  it('takes an endless answer no faster than its client reads, and an endless body no faster than it is taken', async () => {
    let sent = 0;
    const stopped = Promise.withResolvers<void>();
    server.extension.answer = probedBut((request, response) => {
      request.pause();
      const more = () => {
        while (response.write(megabyte)) sent++;
        sent++;
        response.once('drain', more);
        setTimeout(() => stopped.resolve(), 500).unref();
      };
      more();
    });
    const [hostname, port] = server.served.host.split(':');
    const request = https.request({
      method: 'POST',
      hostname,
      port,
      path: `${group}/v1/namespaces/a/echoes`,
      agent: false,
      ...(await server.served.credentials()),
    });
    let written = 0;
    request.on('error', () => {});
    const write = () => {
      while (written < 200 && request.write(megabyte)) written++;
      written++;
      if (written < 200) request.once('drain', write);
    };
    write();
    const [response] = await once(request, 'response');
    response.pause();
    await stopped.promise;
    const before = [sent, written];
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(sent < 64 && written < 64, `${sent} MiB came and ${written} MiB went though nobody reads`);
    assert.ok(before[0] !== undefined);
    request.destroy();
  });

  it('joins upgrades, and refuses answers to them that are none', async () => {
    const [hostname, port] = server.served.host.split(':');
    const upgrade = async (name: string) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        authorization: 'Bearer secret',
        'sec-websocket-protocol': 'v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0',
      };
      const { authorization: _authorization, ...safe } = headers;
      const request = https.get({
        hostname,
        port,
        path: `${group}/v1/namespaces/a/echoes/${name}/exec`,
        headers: { ...safe, 'sec-websocket-protocol': 'v5.channel.k8s.io' },
        agent: false,
        ...(await server.served.credentials()),
      });
      return request;
    };
    const request = await upgrade('b');
    const [, socket] = await once(request, 'upgrade');
    socket.write('hello');
    const [echo] = await once(socket, 'data');
    assert.equal(String(echo), 'hello');
    socket.destroy();
    const seen = server.extension.seen.findLast(({ url }) => url.endsWith('/exec'));
    assert.deepEqual(
      seen?.lines.filter(([name]) => name.toLowerCase() === 'x-remote-user').map(([, value]) => value),
      ['kubernetes-admin'],
    );
    const refused = await upgrade('refused');
    const [answer] = await once(refused, 'response');
    assert.equal(answer.statusCode, 403);
    server.extension.upgrade = (_request, raw) => void raw.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno');
    const [other] = await once(await upgrade('c'), 'response');
    assert.equal(other.statusCode, 503);
  });

  it('asks for rights before anything is passed on', async () => {
    server.extension.seen.length = 0;
    const [hostname, port] = server.served.host.split(':');
    const credentials = await server.served.credentials({ name: 'jane', groups: ['dev'] });
    const request = https.get({ hostname, port, path: `${group}/v1/echoes`, agent: false, ...credentials });
    const [response] = await once(request, 'response');
    assert.equal(response.statusCode, 403);
    assert.equal(server.extension.seen.filter(({ url }) => url.includes('echoes')).length, 0);
  });

  it('is counted while it is not available', async () => {
    server.extension.answer = (_request, response) => void response.writeHead(500).end();
    await touch();
    await send('PATCH', `${registration}/v1.${extensionGroup}`, { spec: { versionPriority: 16 } });
    await eventually('the condition', async () => (await condition())?.reason === 'FailedDiscoveryCheck');
    const { text } = await server.ask('GET', '/metrics');
    assert.match(text, new RegExp(`^aggregator_unavailable_apiservice\\{name="v1\\.${extensionGroup}"\\} 1$`, 'm'));
    assert.match(
      text,
      new RegExp(`^aggregator_unavailable_apiservice_total\\{name="v1\\.${extensionGroup}",reason="FailedDiscoveryCheck"\\} 1$`, 'm'),
    );
    assert.match(text, /^aggregator_unavailable_apiservice\{name="v1\.apps"\} 0$/m);
    assert.equal((await freshness())?.freshness, 'Stale');
    server.extension.answer = undefined;
    await eventually('that it is available again', async () => (await condition())?.status === 'True');
    await eventually('current documents', async () => (await freshness())?.freshness === 'Current');
  });
});
