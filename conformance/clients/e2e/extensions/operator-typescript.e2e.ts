import assert from 'node:assert/strict';
import path from 'node:path';
import type { BackgroundProgram } from '../../support/background-program.ts';
import { nodeProgram, startCluster, type TestCluster } from '../../support/cluster.ts';
import { createOperator, type Operator, shows } from '../../support/operators.ts';

const website = (name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'web.example.com/v1', kind: 'Website', metadata: { name }, spec });
const pages = { 'index.html': 'x' };

interface WebsiteV1alpha1 {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly html: string };
}

/** The operator of docs/operators/typescript, installed and used as its page says. */
describe('the operator in TypeScript', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let operator: Operator;
  let first: BackgroundProgram;
  let second: BackgroundProgram;
  const run = (command: string, input?: string) => cluster.run(command.split(' '), input === undefined ? {} : { input });
  const refused = async (command: string, input?: string) => {
    const { code, stderr } = await cluster.kubectl(command.split(' '), input === undefined ? {} : { input });
    assert.equal(code, 1);
    return stderr;
  };
  const until = (command: string, wanted: RegExp) => shows(cluster, command.split(' '), wanted);
  const file = (name: string) => path.join(operator.folder, name);

  before(async () => {
    cluster = await startCluster({ node: false });
    const program = { name: 'typescript', program: nodeProgram, args: ['main.ts'] };
    operator = createOperator(cluster, { ...program, namespace: 'website-system', account: 'website-operator' });
  });
  after(async () => {
    await operator?.stop();
    await cluster?.stop();
  });

  it('is installed, and two replicas choose a leader', async () => {
    await run(`apply -f ${file('manifests/crd.yaml')} -f ${file('manifests/operator.yaml')} -f ${file('manifests/webhooks.yaml')}`);
    await run('wait --for=condition=Established --timeout=60s crd/websites.web.example.com');
    assert.match(
      await refused(`create -f ${file('examples/website.yaml')}`),
      /failed calling webhook "default\.websites\.web\.example\.com"/,
    );
    first = await operator.start('first');
    await operator.leads(first);
    second = await operator.start('second');
    assert.equal(await operator.leader(), 'first');
  });

  it('takes an old version and shows it in the new one, with its defaults', async () => {
    const { stdout, stderr } = await cluster.kubectl(['create', '-f', file('examples/old.yaml')]);
    assert.match(stdout, /^website\.web\.example\.com\/bakery created$/m, stderr);
    assert.match(stderr, /^Warning: web\.example\.com\/v1alpha1 Website is deprecated; use web\.example\.com\/v1$/m);
    const spec = JSON.parse(await run('get website bakery -o jsonpath={.spec}')) as unknown;
    assert.deepEqual(spec, {
      host: 'bakery.default.example.com',
      image: 'docker.io/library/nginx:1.26',
      pages: { 'index.html': '<h1>Fresh bread</h1>' },
      replicas: 1,
    });
    assert.match(
      await run('get websites.v1alpha1.web.example.com'),
      /^NAME +DOMAIN +INSTANCES\nbakery +bakery\.default\.example\.com +1\n$/,
    );
  });

  it('loses nothing when a new version is written as an old one', async () => {
    await run(`create -f ${file('examples/website.yaml')}`);
    const old = JSON.parse(await run('get websites.v1alpha1.web.example.com library -o json')) as WebsiteV1alpha1;
    assert.equal(old.spec.html, '<h1>Books</h1>');
    assert.equal(old.metadata.annotations['web.example.com/v1-pages'], '{"hours.html":"<p>From nine to five</p>"}');
    await run('patch websites.v1alpha1.web.example.com library --type=merge -p {"spec":{"html":"<h1>Papers</h1>"}}');
    const spec = JSON.parse(await run('get website library -o jsonpath={.spec.pages}')) as unknown;
    assert.deepEqual(spec, { 'index.html': '<h1>Papers</h1>', 'hours.html': '<p>From nine to five</p>' });
  });

  it('refuses what is wrong, and says why', async () => {
    const create = (name: string, spec: object) => refused('create -f -', website(name, spec));
    assert.match(await create('empty', { pages: { 'a.html': '' } }), /spec\.pages: Invalid value: .*there must be a page index\.html/);
    assert.match(await create('9lives', { pages }), /the name must be a DNS label, because the Service has the same/);
    assert.match(await create('many', { pages, replicas: 21 }), /spec\.replicas in body should be less than or equal to 20/);
    assert.match(
      await create('other', { pages, host: 'library.example.com' }),
      /admission webhook "validate\.websites\.web\.example\.com" denied the request: spec\.host: library\.example\.com belongs to the website default\/library/,
    );
    assert.match(
      await refused('patch website library --type=merge -p {"spec":{"host":"elsewhere.example.com"}}'),
      /spec: Invalid value: .*host is immutable/,
    );
  });

  it('makes what a website consists of, and tells of it in the status', async () => {
    await until('get website library -o wide', /^library +library\.example\.com +2 +False +Progressing /m);
    const owner = 'jsonpath={.items[*].metadata.ownerReferences[*].name}';
    const made = `get configmaps,deployments,services -l app.kubernetes.io/instance=library -o ${owner}`;
    assert.equal(await run(made), 'library library library');
    assert.equal(
      await run('get website library -o jsonpath={.status.observedGeneration}'),
      await run('get website library -o jsonpath={.metadata.generation}'),
    );
    assert.match(
      await run('describe website library'),
      /Normal +Progressing .* web\.example\.com\/website-operator +0 of 2 servers are available/,
    );
    assert.match(
      await run('get configmap website-directory -n website-system -o jsonpath={.data}'),
      /"default\.library":"library\.example\.com"/,
    );
  });

  it('scales', async () => {
    await run('scale website/library --replicas=5');
    await until('get deployment library -o jsonpath={.spec.replicas}', /^5$/);
    assert.equal(await run('get website library -o jsonpath={.status.selector}'), 'web.example.com/website=library');
  });

  it('mends what others change, and takes over nothing of theirs', async () => {
    await run('delete deployment library');
    await until('get deployment library -o jsonpath={.spec.replicas}', /^5$/);
    await run('create configmap shop --from-literal=mine=yes');
    await run('create -f -', website('shop', { pages }));
    await until('get website shop -o wide', / False +NameTaken /);
    assert.equal(await run('get configmap shop -o jsonpath={.data}'), '{"mine":"yes"}');
  });

  it('goes on with the other replica when the leader is killed', async () => {
    await first.stop();
    await operator.leads(second);
    assert.equal(await operator.leader(), 'second');
    await run('scale website/library --replicas=1');
    await until('get deployment library -o jsonpath={.spec.replicas}', /^1$/);
  });

  it('cleans up when a website is deleted', async () => {
    await run('delete website library --timeout=60s');
    assert.doesNotMatch(await run('get configmap website-directory -n website-system -o jsonpath={.data}'), /library/);
    await until('get configmaps,deployments,services -l app.kubernetes.io/instance=library', /No resources found/);
    await until('get events.events.k8s.io --field-selector reason=CleanedUp', /library/);
  });

  it('may run in the cluster under the restricted Pod Security Standard', async () => {
    const { code, stderr } = await cluster.kubectl(['apply', '-f', file('manifests/deployment.yaml')]);
    assert.deepEqual([code, stderr], [0, '']);
    await until('get replicasets -n website-system -o jsonpath={.items[*].status.replicas}', /^2$/);
  });

  it('gives its lease back when it is stopped', async () => {
    second.signal('SIGTERM');
    assert.equal(await second.exitCode, 0);
    assert.equal(await operator.leader(), '');
  });
});
