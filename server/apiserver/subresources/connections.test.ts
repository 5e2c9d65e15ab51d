import assert from 'node:assert/strict';
import type { Client } from '../../../api/client/client.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { endpoints } from '../../../api/resources/core/v1/endpoints.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { clusterRoleBindings } from '../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import { eventually } from '../testing/complete-server.ts';
import { type SubresourceServer, startSubresourceServer } from './testing/subresource-server.ts';

describe('connections to nodes, Pods and Services', () => {
  let server: SubresourceServer;
  let client: Client;
  const key = (name: string) => ({ namespace: 'default', name });
  const send: SubresourceServer['send'] = (...parameters) => server.send(...parameters);
  const createPod: SubresourceServer['createPod'] = (...parameters) => server.createPod(...parameters);
  const runPod: SubresourceServer['runPod'] = (...parameters) => server.runPod(...parameters);

  before(async () => {
    server = await startSubresourceServer();
    ({ client } = server);
  });
  after(() => server.close());

  describe('kubelet requests', () => {
    const last = () => server.dialed.at(-1);
    const path = (name: string, subresource: string) => `/api/v1/namespaces/default/pods/${name}/${subresource}`;
    const upgrade = { upgrade: 'websocket', connection: 'Upgrade' };
    before(async () => {
      await createPod('two', {
        nodeName: 'one',
        containers: [
          { name: 'a', image: 'a' },
          { name: 'b', image: 'b' },
        ],
        initContainers: [{ name: 'i', image: 'i' }],
      });
      await createPod('single', { nodeName: 'one' });
      await createPod('nowhere');
      await createPod('absent', { nodeName: 'one', containers: [{ name: 'absent', image: 'a' }] });
    });

    it('logs come from the node of the Pod', async () => {
      const { status, text, headers } = await send('GET', path('single', 'log'), {
        query: 'tailLines=5&follow=true&timestamps=false&sinceSeconds=60',
      });
      assert.deepEqual([status, headers['content-type']], [200, 'text/plain']);
      assert.equal(text, '/containerLogs/default/single/app?follow=true&sinceSeconds=60&tailLines=5');
      assert.deepEqual(last()?.target, { scheme: 'https', host: '192.0.2.7', port: 10_250, kubelet: true, refuseLocal: true });
    });

    const refusals: readonly (readonly [subresource: string, name: string, query: string, code: number, message: string | RegExp])[] = [
      ['log', 'two', '', 400, 'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]'],
      ['log', 'two', 'container=c', 400, 'container c is not valid for pod two'],
      ['log', 'missing', '', 404, 'pods "missing" not found'],
      ['log', 'single', 'tailLines=-1', 422, /tailLines: Invalid value: -1: must be greater than or equal to 0$/],
      ['log', 'single', 'limitBytes=0', 422, /limitBytes: Invalid value: 0: must be greater than 0$/],
      [
        'log',
        'single',
        'sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z',
        422,
        /at most one of `sinceTime` or `sinceSeconds` may be specified$/,
      ],
      ['log', 'absent', '', 400, 'container "app" in pod "web" is waiting to start: ContainerCreating'],
      ['exec', 'nowhere', 'command=ls&stdout=true', 400, 'pod nowhere does not have a host assigned'],
      ['exec', 'two', 'command=ls&stdout=true', 400, /^a container name must be specified for pod two/],
      ['exec', 'single', 'stdout=true', 400, 'you must specify at least 1 command for the container'],
      ['exec', 'single', 'command=ls', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
      ['attach', 'single', '', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
      ['portforward', 'nowhere', 'ports=80', 400, 'pod nowhere does not have a host assigned'],
    ];
    for (const [subresource, name, query, code, expected] of refusals) {
      it(`${subresource} of ${name}${query === '' ? '' : ` with ${query}`} is refused`, async () => {
        const { status, object } = await send('GET', path(name, subresource), { query, headers: subresource === 'log' ? {} : upgrade });
        assert.equal(status, code);
        if (typeof expected === 'string') assert.equal(object().message, expected);
        else assert.match(object().message ?? '', expected);
      });
    }

    it('streams are passed on in the words of the kubelet', async () => {
      const { status } = await send('POST', path('two', 'exec'), {
        query: 'container=b&command=sh&command=-c&command=echo+%241&stdin=true&stdout=true&stderr=0&tty=1',
        headers: upgrade,
      });
      assert.equal(status, 101);
      assert.equal(last()?.path, '/exec/default/two/b');
      assert.deepEqual(
        [...new URLSearchParams(last()?.query)],
        [
          ['input', '1'],
          ['output', '1'],
          ['tty', '1'],
          ['command', 'sh'],
          ['command', '-c'],
          ['command', 'echo $1'],
        ],
      );
      await send('POST', path('single', 'attach'), { query: 'stdout=true&stderr=true', headers: upgrade });
      assert.deepEqual([last()?.path, last()?.query], ['/attach/default/single/app', 'output=1&error=1']);
      await send('POST', path('single', 'portforward'), { query: 'ports=80&ports=443', headers: upgrade });
      assert.deepEqual([last()?.path, last()?.query], ['/portForward/default/single', 'port=80&port=443']);
    });

    it('whoever may only read runs nothing, also over a WebSocket', async () => {
      const reader: UserInfo = { name: 'reader', groups: ['system:authenticated'] };
      await client(clusterRoles).create({
        metadata: { name: 'reader' },
        rules: [{ apiGroups: [''], resources: ['pods', 'pods/exec', 'pods/log'], verbs: ['get'] }],
      });
      await client(clusterRoleBindings).create({
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
      });
      await eventually('the role', async () => (await send('GET', path('single', 'log'), { user: reader })).status === 200);
      const { status, object } = await send('GET', path('single', 'exec'), {
        query: 'command=ls&stdout=true',
        headers: upgrade,
        user: reader,
      });
      assert.deepEqual(
        [status, object().message],
        [403, 'pods "single" is forbidden: User "reader" cannot create resource "pods/exec" in API group "" in the namespace "default"'],
      );
    });
  });

  describe('proxies', () => {
    const last = () => server.dialed.at(-1);
    before(async () => {
      await runPod('web', { app: 'web' });
      await client(services).create({
        metadata: key('front'),
        spec: {
          ports: [
            { name: 'http', port: 80, targetPort: 8080 },
            { name: 'tls', port: 443 },
          ],
        },
      });
      await client(endpoints).create({
        metadata: key('front'),
        subsets: [
          {
            addresses: [{ ip: '10.0.0.9' }],
            ports: [
              { name: 'http', port: 8080 },
              { name: 'tls', port: 8443 },
            ],
          },
        ],
      });
    });

    const cases: readonly (readonly [path: string, target: string, forwarded: string])[] = [
      ['/api/v1/namespaces/default/pods/web/proxy/', 'http://10.0.0.7:80', '/'],
      ['/api/v1/namespaces/default/pods/web:8080/proxy/a%2Fb/c', 'http://10.0.0.7:8080', '/a%2Fb/c'],
      ['/api/v1/namespaces/default/pods/https:web:8443/proxy/x', 'https://10.0.0.7:8443', '/x'],
      ['/api/v1/namespaces/default/services/front:http/proxy/x', 'http://10.0.0.9:8080', '/x'],
      ['/api/v1/namespaces/default/services/https:front:tls/proxy/x', 'https://10.0.0.9:8443', '/x'],
      ['/api/v1/namespaces/default/services/front:80/proxy/x', 'http://10.0.0.9:8080', '/x'],
      ['/api/v1/nodes/one/proxy/healthz', 'https://192.0.2.7:10250', '/healthz'],
      ['/api/v1/namespaces/default/pods/web%2Fproxy/a/b', 'http://10.0.0.7:80', '/a/b'],
      ['/api/v1%2Fnamespaces/default/pods/web/proxy%2fa//b/', 'http://10.0.0.7:80', '/a//b/'],
      ['/api/v1/nodes/one%2Fproxy/healthz', 'https://192.0.2.7:10250', '/healthz'],
    ];
    for (const [path, target, forwarded] of cases) {
      it(`${path} leads to ${target}${forwarded}`, async () => {
        assert.equal((await send('GET', path, { query: 'q=1' })).status, 200);
        const dialed = last();
        assert.equal(`${dialed?.target.scheme}://${dialed?.target.host}:${dialed?.target.port}`, target);
        assert.deepEqual([dialed?.path, dialed?.query], [forwarded, 'q=1']);
        assert.equal(dialed?.target.kubelet ?? false, path.startsWith('/api/v1/nodes/'));
      });
    }

    describe('of a user who may watch everything', () => {
      const watcher: UserInfo = { name: 'watcher', groups: ['system:authenticated'] };
      before(async () => {
        await client(clusterRoles).create({
          metadata: { name: 'watcher' },
          rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
        });
        await client(clusterRoleBindings).create({
          metadata: { name: 'watcher' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'watcher' },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'watcher' }],
        });
        await eventually('the role', async () => (await send('GET', '/api/v1/pods', { user: watcher })).status === 200);
      });
      for (const [method, path, code] of [
        ['POST', '/api/v1/watch/namespaces/default/services/front:http%2Fproxy/hello', 404],
        ['DELETE', '/api/v1/watch/namespaces/default/services/front:http/proxy/hello', 404],
        ['PUT', '/api/v1/watch/namespaces/default/pods/web/proxy/', 404],
        ['GET', '/api/v1/watch/namespaces/default/pods/web/proxy/x', 404],
        ['DELETE', '/api/v1/watch/nodes/one%2Fproxy/localVolumes/PV', 404],
        ['DELETE', '/api/v1/watch/namespaces/default/pods/web', 405],
        ['POST', '/api/v1/watch/namespaces/default/pods', 405],
        ['POST', '/api/v1/namespaces/default/services/front:http/proxy/hello', 403],
        ['DELETE', '/api/v1/nodes/one/proxy/localVolumes/PV', 403],
      ] as const)
        it(`${method} ${path} is answered ${code}, and nobody is called`, async () => {
          const count = server.dialed.length;
          assert.equal((await send(method, path, { user: watcher })).status, code);
          assert.equal(server.dialed.length, count);
        });
    });

    it('redirects stay behind the proxy', async () => {
      const { status, headers } = await send('GET', '/api/v1/namespaces/default/pods/web:8080/proxy/moved');
      assert.deepEqual([status, headers['location']], [302, '/api/v1/namespaces/default/pods/web:8080/proxy/there']);
      assert.equal(
        (await send('GET', '/api/v1/namespaces/default/pods/web/proxy')).headers['location'],
        '/api/v1/namespaces/default/pods/web/proxy/',
      );
    });

    it('what cannot be reached is said so', async () => {
      const text = async (path: string) => (await send('GET', path)).object().message;
      assert.equal(await text('/api/v1/namespaces/default/pods/none/proxy/'), 'pods "none" not found');
      assert.equal(await text('/api/v1/namespaces/default/services/front:none/proxy/'), 'no service port "none" found for service "front"');
      assert.match((await text('/api/v1/namespaces/default/pods/a:b:c:d/proxy/')) ?? '', /^invalid pod request "a:b:c:d"$/);
    });
  });
});
