import assert from 'node:assert/strict';
import { startCluster, type TestCluster } from '../../support/cluster.ts';

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names: { plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all] }
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: A job that is run at times.
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: { type: string, description: The times of its runs. }
              image: { type: string, default: busybox }
              replicas: { type: integer, minimum: 0 }
          status:
            type: object
            properties:
              replicas: { type: integer }
              selector: { type: string }
    selectableFields:
    - jsonPath: .spec.image
    additionalPrinterColumns:
    - { name: Spec, type: string, jsonPath: .spec.cronSpec }
    - { name: Replicas, type: integer, jsonPath: .spec.replicas }
    - { name: Image, type: string, jsonPath: .spec.image, priority: 1 }
    subresources:
      status: {}
      scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector }
`;
const cronTab = (replicas: number) => `
apiVersion: stable.example.com/v1
kind: CronTab
metadata: { name: nightly }
spec: { cronSpec: "0 3 * * *", replicas: ${replicas} }
`;

/** Stock kubectl with a kind that it does not know, on the control plane alone. */
describe('stock kubectl with custom kinds', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: false });
  });
  after(() => cluster?.stop());
  const run = (...args: string[]) => cluster.run(args);
  const apply = (input: string, ...args: string[]) => cluster.run(['apply', ...args, '-f', '-'], { input });

  it('applies a definition and waits until it is established', async () => {
    assert.match(await apply(definition), /crontabs.stable.example.com created/);
    assert.match(await run('wait', '--for=condition=Established', '--timeout=20s', 'crd/crontabs.stable.example.com'), /condition met/);
    assert.match(await run('api-resources', '--api-group=stable.example.com'), /crontabs\s+ct\s+stable.example.com\/v1\s+true\s+CronTab/);
  });

  it('explains the kind', async () => {
    assert.match(await run('explain', 'crontabs'), /A job that is run at times\./);
    assert.match(await run('explain', 'ct.spec.cronSpec'), /FIELD: cronSpec <string>[^]*The times of its runs\./);
  });

  it('creates an object, which is defaulted, and shows it in columns', async () => {
    assert.match(await apply(cronTab(1)), /crontab.stable.example.com\/nightly created/);
    assert.match(await run('get', 'ct'), /NAME\s+SPEC\s+REPLICAS\nnightly\s+0 3 \* \* \*\s+1\n/);
    assert.match(await run('get', 'ct', '-o', 'wide'), /REPLICAS\s+IMAGE\nnightly\s+0 3 \* \* \*\s+1\s+busybox\n/);
    assert.match(await run('get', 'all'), /crontab.stable.example.com\/nightly/);
    assert.equal(await run('get', 'ct', '--field-selector', 'spec.image=busybox', '-o', 'name'), 'crontab.stable.example.com/nightly\n');
    assert.equal(await run('get', 'ct', '--field-selector', 'spec.image=other', '-o', 'name'), '');
  });

  it('is told what is wrong with an object', async () => {
    const input = cronTab(-1).replace('nightly', 'wrong');
    const { code, stderr } = await cluster.kubectl(['create', '-f', '-'], { input });
    assert.equal(code, 1);
    assert.match(stderr, /spec\.replicas: Invalid value: -1: spec\.replicas in body should be greater than or equal to 0/);
    const strict = await cluster.kubectl(['create', '-f', '-'], {
      input: `${cronTab(1).replace('nightly', 'wrong').trimEnd().slice(0, -1)}, unknown: 1 }\n`,
    });
    assert.match(strict.stderr, /unknown field "spec\.unknown"/);
  });

  it('shows what would change, patches and scales', async () => {
    const { code, stdout } = await cluster.kubectl(['diff', '-f', '-'], { input: cronTab(2) });
    assert.equal(code, 1);
    assert.match(stdout, /-  replicas: 1\n\+  replicas: 2/);
    assert.match(await run('patch', 'ct', 'nightly', '--type=merge', '-p', '{"spec":{"image":"alpine"}}'), /patched/);
    assert.match(await run('scale', 'ct/nightly', '--replicas=5'), /scaled/);
    assert.equal(await run('get', 'ct', 'nightly', '-o', 'jsonpath={.spec.image} {.spec.replicas} {.metadata.generation}'), 'alpine 5 3');
  });

  it('applies on the server, and is told of conflicts', async () => {
    const { code, stderr } = await cluster.kubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], { input: cronTab(7) });
    assert.equal(code, 1);
    assert.match(stderr, /conflict with "[^"]+" with subresource "scale"[^]*\.spec\.replicas/);
    const forced = await apply(cronTab(7), '--server-side', '--field-manager=other', '--force-conflicts');
    assert.match(forced, /serverside-applied/);
    assert.equal(await run('get', 'ct', 'nightly', '-o', 'jsonpath={.spec.replicas}'), '7');
  });

  it('deletes the object, and the kind with those that are left', async () => {
    assert.match(await run('delete', 'ct', 'nightly'), /deleted/);
    await apply(cronTab(1));
    assert.match(await run('delete', 'crd', 'crontabs.stable.example.com'), /deleted/);
    const { code, stderr } = await cluster.kubectl(['get', 'ct']);
    assert.equal(code, 1);
    assert.match(stderr, /the server (?:could not find the requested resource|doesn't have a resource type "ct")/);
  });

  it('finds kinds and objects again after a start', async () => {
    await apply(definition);
    await run('wait', '--for=condition=Established', '--timeout=20s', 'crd/crontabs.stable.example.com');
    await apply(cronTab(3));
    await cluster.kill('SIGKILL');
    await cluster.start();
    assert.equal(await run('get', 'ct', 'nightly', '-o', 'jsonpath={.spec.replicas}'), '3');
  });
});
