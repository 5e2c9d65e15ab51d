import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { type APICaller, createAPICaller } from '../apiserver/testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../apiserver/testing/start-api-server.ts';
import { type AuthorizationSetup, openAuthorization } from './open-authorization.ts';

describe('a webhook that means harm', function () {
  this.timeout(60_000);
  let folder: string;
  let webhook: Server;
  let answer: RequestListener = () => {};
  let setup: AuthorizationSetup;
  let server: TestAPIServer;
  const callerOf = (name: string, ...groups: string[]): APICaller =>
    createAPICaller(server.transport, { name, groups: [...groups, 'system:authenticated'] });
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hostile-'));
    webhook = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => {
      webhook.listen(0, '127.0.0.1', resolve);
    });
    const { port } = webhook.address() as AddressInfo;
    const kubeconfig = path.join(folder, 'kubeconfig');
    await writeFile(
      kubeconfig,
      `{clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}/"}}], contexts: [{name: x, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: x}`,
    );
    const connectionInfo = { type: 'KubeConfigFile', kubeConfigFile: kubeconfig };
    const settings = { timeout: '1s', subjectAccessReviewVersion: 'v1', matchConditionSubjectAccessReviewVersion: 'v1', connectionInfo };
    const only = (prefix: string) => ({ matchConditions: [{ expression: `request.user.startsWith('${prefix}')` }] });
    const configuration = {
      ...{ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration' },
      authorizers: [
        { type: 'Webhook', name: 'open', webhook: { ...settings, ...only('open'), failurePolicy: 'NoOpinion' } },
        { type: 'Webhook', name: 'closed', webhook: { ...settings, ...only('closed'), failurePolicy: 'Deny' } },
        { type: 'RBAC', name: 'rbac' },
      ],
    };
    await writeFile(path.join(folder, 'authorization.yaml'), JSON.stringify(configuration));
    const flags = { authorizationConfig: path.join(folder, 'authorization.yaml') };
    setup = await openAuthorization(flags, { clock: systemClock, logger: silentLogger });
    server = await startAPIServerInProcess({ overrides: { authorizers: setup.authorizers } });
  });
  after(async () => {
    setup.close();
    webhook.closeAllConnections();
    webhook.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  const endless = Buffer.alloc(65_536, 0x61);
  const attacks: [name: string, listener: RequestListener][] = [
    ['never answers', () => {}],
    ['sends its head and no body', (_, response) => void response.writeHead(200).flushHeaders()],
    [
      'drips',
      (_, response) => {
        const drip = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(drip));
      },
    ],
    [
      'answers without an end',
      (_, response) => {
        response.write('{"status":{"allowed":true,"reason":"');
        const more = () => void (response.destroyed || (response.write(endless) ? setImmediate(more) : response.once('drain', more)));
        more();
      },
    ],
    ['nests as deep as it can', (_, response) => response.end(`{"status":${'['.repeat(400_000)}${']'.repeat(400_000)}}`)],
    ['breaks the connection', (request) => request.socket.destroy()],
    ['says too long a head', (_, response) => response.writeHead(200, { x: 'y'.repeat(60_000) }).end('{}')],
    ['redirects', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['names no status', (_, response) => response.end('{"status":"allowed"}')],
    [
      'sends a prototype',
      (_, response) => response.end('{"__proto__":{"status":{"allowed":true}},"status":{"__proto__":{"allowed":true}}}'),
    ],
  ];
  for (const [name, listener] of attacks) {
    it(`${name}: allows nothing, and others are answered at once`, async () => {
      answer = listener;
      const hurt = ['open', 'closed'].flatMap((prefix) =>
        Array.from({ length: 20 }, (_, at) => callerOf(`${prefix}-${name}-${at}`).get(`/api/v1/namespaces/n/secrets?limit=${at + 1}`)),
      );
      const admin = callerOf('admin', 'system:masters');
      const slowest = [0];
      const until = systemClock.monotonicMs() + 500;
      while (systemClock.monotonicMs() < until) {
        const startMs = systemClock.monotonicMs();
        assert.equal((await admin.get('/api/v1/namespaces/n/configmaps')).status, 200);
        assert.equal((await callerOf('other').get('/version')).status, 200);
        slowest.push(systemClock.monotonicMs() - startMs);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const statuses = new Set((await Promise.all(hurt)).map(({ status }) => status));
      assert.ok(
        [...statuses].every((status) => status === 403 || status === 500),
        [...statuses].join(),
      );
      assert.ok(Math.max(...slowest) < 2000, `${Math.max(...slowest)} ms`);
    });
  }

  it('cannot keep a request for longer than its timeout, and not one whose client has gone', async () => {
    answer = () => {};
    const startMs = systemClock.monotonicMs();
    assert.equal((await callerOf('closed-late').get('/api/v1/nodes')).status, 500);
    assert.ok(systemClock.monotonicMs() - startMs < 10_000);
    let closed = false;
    const gone = new Promise<void>((resolve) => {
      answer = (_, response) => {
        response.on('close', () => {
          closed = true;
          resolve();
        });
        leave.abort(new Error('gone'));
      };
    });
    const leave = new AbortController();
    const user = { name: 'open-gone', groups: [] };
    const request = { method: 'GET', path: '/api/v1/nodes', query: '', headers: {}, signal: leave.signal, user };
    await server.transport(request).catch(() => undefined);
    await gone;
    assert.ok(closed);
  });
});
