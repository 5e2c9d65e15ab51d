import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import { ask, type ServedServer, startServedServer } from './testing/start-served-server.ts';

describe('the end of a server', () => {
  let served: ServedServer;
  beforeEach(async () => (served = await startServedServer()));
  afterEach(() => served.close());

  it('is announced by /readyz while everything is served', async () => {
    assert.equal((await ask(served, '/readyz')).status, 200);
    served.server.announceShutdown();
    const readiness = await ask(served, '/readyz?verbose');
    assert.equal(readiness.status, 500);
    assert.match(readiness.text, /^\[-\]shutdown failed: reason withheld$/m);
    assert.equal((await ask(served, '/livez')).status, 200);
    assert.equal((await ask(served, '/api/v1/namespaces')).status, 200);
  });

  it('is the last of the checks, which have the names of upstream', async () => {
    const { text } = await ask(served, '/readyz?verbose');
    const names = [...text.matchAll(/^\[\+\](\S+) ok$/gm)].map(([, name]) => name);
    assert.deepEqual(names.slice(0, 5), ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync']);
    assert.deepEqual(
      names.slice(5, -1),
      [
        'generic-apiserver-start-informers',
        'priority-and-fairness-config-consumer',
        'start-apiextensions-informers',
        'start-apiextensions-controllers',
        'crd-informer-synced',
        'start-system-namespaces-controller',
        'start-cluster-authentication-info-controller',
        'start-legacy-token-tracking-controller',
        'rbac/bootstrap-roles',
        'scheduling/bootstrap-system-priority-classes',
        'priority-and-fairness-config-producer',
        'bootstrap-controller',
        'start-kubernetes-service-cidr-controller',
        'kube-apiserver-autoregistration',
      ].map((name) => `poststarthook/${name}`),
    );
    assert.equal(names.at(-1), 'shutdown');
    assert.doesNotMatch((await ask(served, '/livez?verbose')).text, /shutdown|readiness|\]informer-sync/);
  });

  it('ends watches without an error, finishes what is under way, and turns away what comes on open connections', async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await ask(served, '/version', { agent })).status, 200);
    const watching = https.get({
      ...(await served.credentials()),
      host: '127.0.0.1',
      port: served.endpoint.port,
      path: '/api/v1/configmaps?watch=1',
      agent: false,
    });
    const [response] = await once(watching, 'response');
    let events = '';
    response.on('data', (chunk: Buffer) => (events += chunk.toString()));
    const ended = once(response, 'end');
    const closing = served.server.closeServer();
    const refused = await ask(served, '/api/v1/namespaces', { agent });
    assert.deepEqual(
      [refused.status, refused.headers['retry-after'], JSON.parse(refused.text).message],
      [503, '1', 'apiserver is shutting down'],
    );
    assert.equal((await ask(served, '/livez', { agent })).status, 200);
    await ended;
    assert.doesNotMatch(events, /"ERROR"/);
    await closing;
    agent.destroy();
  });

  it('loses no write that it has acknowledged, and leaves none half done', async () => {
    const agent = new https.Agent({ keepAlive: true });
    const acknowledged = new Set<string>();
    let isOver = false;
    const write = async (writer: number) => {
      for (let count = 0; !isOver; count++) {
        const name = `w${writer}-${count}`;
        const body = JSON.stringify({ metadata: { name } });
        const headers = { 'content-type': 'application/json' };
        const answer = await ask(served, '/api/v1/namespaces/default/configmaps', { method: 'POST', headers, body, agent }).catch(
          () => undefined,
        );
        if (answer?.status === 201) acknowledged.add(name);
        else isOver = true;
      }
    };
    const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
    while (acknowledged.size < 100) await new Promise((resolve) => setImmediate(resolve));
    const finished = served.server.closeServer();
    await Promise.all([finished, served.endpoint.close(1000, finished), ...writers]);
    agent.destroy();
    const { entries } = await served.server.storage.range({ start: '/registry/configmaps/default/', end: '/registry/configmaps/default0' });
    const stored = new Set(entries.map(({ key }) => key.slice('/registry/configmaps/default/'.length)));
    assert.deepEqual(stored, acknowledged);
  });
});
