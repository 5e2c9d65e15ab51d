import assert from 'node:assert/strict';
import { type ExtensionServer, startExtensionServer } from '../../../../server/apiserver/aggregator/testing/extension-server.ts';
import { machineAddress } from '../../../../server/control-plane/addresses.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { createNotesServer } from '../../support/notes-server.ts';

const note = (name: string, text: string) => `{apiVersion: ext.example.com/v1, kind: Note, metadata: {name: ${name}}, text: ${text}}`;

/** A small API server beside kubets' control plane, used through stock kubectl. */
describe('an API server beside the cluster, with kubectl', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  let extension: ExtensionServer;
  const notes = createNotesServer();
  const apply = (input: string) => cluster.run(['apply', '-f', '-'], { input });
  const kubectl = (args: string) => cluster.run(args.split(' '));
  const refused = async (args: string) => {
    const { code, stdout, stderr } = await cluster.kubectl(args.split(' '));
    assert.notEqual(code, 0, stdout);
    return `${stdout}${stderr}`;
  };
  const until = async (what: string, holds: () => Promise<boolean>) => {
    for (const deadline = performance.now() + 60_000; !(await holds()); )
      if (performance.now() > deadline) throw new Error(`${what} does not come`);
  };

  before(async function () {
    if (machineAddress().startsWith('127.')) return this.skip();
    cluster = await startCluster({ node: false });
    extension = await startExtensionServer(machineAddress(), ['api.ext.svc']);
    extension.answer = notes.listener;
    const { address, port, caPEM } = extension;
    await apply(`
apiVersion: v1
kind: Namespace
metadata: {name: ext}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: ext}
spec: {ports: [{name: https, port: 443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: api-1, namespace: ext, labels: {kubernetes.io/service-name: api}}
addressType: IPv4
endpoints: [{addresses: ["${address}"]}]
ports: [{name: https, port: ${port}}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.ext.example.com}
spec:
  group: ext.example.com
  version: v1
  groupPriorityMinimum: 2000
  versionPriority: 15
  service: {namespace: ext, name: api}
  caBundle: ${Buffer.from(caPEM).toString('base64')}
`);
    await kubectl('wait --for=condition=Available apiservice/v1.ext.example.com --timeout=60s');
  });
  after(async () => {
    await extension?.close();
    await cluster?.stop();
  });

  it('is shown as available', async () => {
    assert.match(await kubectl('get apiservice v1.ext.example.com'), /^v1\.ext\.example\.com +ext\/api +True /m);
    assert.match(await kubectl('get apiservices'), /^v1\.apps +Local +True /m);
  });

  it('has its kinds in discovery and in explain', async () => {
    await until('discovery', async () =>
      /^notes +nt +ext\.example\.com\/v1 +true +Note$/m.test(await kubectl('api-resources --api-group=ext.example.com')),
    );
    assert.match(await kubectl('api-versions'), /^ext\.example\.com\/v1$/m);
    await until('explain', async () => (await cluster.kubectl(['explain', 'note.text'])).code === 0);
    assert.match(await kubectl('explain note'), /Note is a piece of paper\.[\s\S]*text\t<string>/);
  });

  it('stores, lists, watches and deletes objects', async () => {
    await cluster.run(['create', '--validate=false', '-f', '-'], { input: note('first', 'hello') });
    assert.match(await kubectl('get notes --all-namespaces'), /^default +first +/m);
    assert.equal(await kubectl('get nt first -o jsonpath={.text}'), 'hello');
    const waiting = kubectl('wait --for=create note/second --timeout=60s');
    await cluster.run(['create', '--validate=false', '-f', '-'], { input: note('second', 'there') });
    assert.match(await waiting, /note\.ext\.example\.com\/second condition met/);
    await kubectl('delete note first');
    assert.match(await refused('get note first'), /Error from server \(NotFound\): notes\.ext\.example\.com "first" not found/);
  });

  it('learns who asks, once RBAC allows it', async () => {
    assert.match(
      await refused('get notes --as=jane'),
      /Forbidden.*User "jane" cannot list resource "notes" in API group "ext\.example\.com"/,
    );
    assert.ok(!notes.users.has('jane'));
    await kubectl('create clusterrole notes --verb=list --resource=notes.ext.example.com');
    await kubectl('create clusterrolebinding notes --clusterrole=notes --user=jane');
    await until('the right', async () => (await cluster.kubectl(['get', 'notes', '--as=jane'])).code === 0);
    assert.ok(notes.users.has('jane'));
  });

  it('breaks nothing else when it is dead, and comes back', async () => {
    extension.answer = (_request, response) => void response.writeHead(500).end();
    await kubectl('annotate apiservice v1.ext.example.com touched=yes');
    await kubectl('patch apiservice v1.ext.example.com --type=merge -p {"spec":{"versionPriority":16}}');
    await kubectl('wait --for=condition=Available=False apiservice/v1.ext.example.com --timeout=60s');
    assert.match(await kubectl('get apiservice v1.ext.example.com'), /False \(FailedDiscoveryCheck\)/);
    assert.match(
      await refused('get --raw /apis/ext.example.com/v1/notes'),
      /ServiceUnavailable|the server is currently unable to handle the request|service unavailable/,
    );
    assert.match(await kubectl('get namespaces'), /^default +Active/m);
    // Its group version is stale: without kinds, and without those of others being fewer.
    await until('discovery without it', async () => !/^notes /m.test(await kubectl('api-resources')));
    assert.match(await kubectl('api-resources'), /^pods /m);
    extension.answer = notes.listener;
    await kubectl('wait --for=condition=Available apiservice/v1.ext.example.com --timeout=60s');
    await until('discovery', async () => (await cluster.kubectl(['get', 'notes'])).code === 0);
  });

  it('is gone with its APIService', async () => {
    await kubectl('delete apiservice v1.ext.example.com');
    await until(
      'that nothing is served',
      async () => (await cluster.kubectl(['get', '--raw', '/apis/ext.example.com/v1/notes'])).code !== 0,
    );
    assert.doesNotMatch(await kubectl('api-versions'), /ext\.example\.com/);
  });

  it('has an APIService for custom kinds for as long as they are there', async () => {
    await apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: cards.paper.example.com}
spec:
  group: paper.example.com
  scope: Namespaced
  names: {kind: Card, plural: cards, singular: card, listKind: CardList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`);
    await kubectl('wait --for=create apiservice/v1.paper.example.com --timeout=60s');
    assert.match(
      await kubectl('get apiservice v1.paper.example.com --show-labels'),
      /Local +True .*kube-aggregator\.kubernetes\.io\/automanaged=true/,
    );
    await kubectl('delete crd cards.paper.example.com');
    await kubectl('wait --for=delete apiservice/v1.paper.example.com --timeout=60s');
  });
});
