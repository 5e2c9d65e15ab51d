import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../../../framework/run-program.ts';
import type { BackgroundProgram } from '../../support/background-program.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { createOperator, type Operator, shows } from '../../support/operators.ts';

const python = '/usr/bin/python3';
/** -B: no bytecode beside the sources. */
const args = ['-B', '-m', 'backup_operator'];
const backup = (name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'backup.example.com/v1', kind: 'ScheduledBackup', metadata: { name }, spec });
const source = { claimName: 'data' };

interface OldBackup {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** The operator of docs/operators/python, installed and used as its page says. */
describe('the operator in Python', function () {
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

  before(async function () {
    if (!existsSync('/usr/lib/python3/dist-packages/kubernetes')) return this.skip();
    cluster = await startCluster({ node: false });
    operator = createOperator(cluster, { name: 'python', program: python, args, namespace: 'backup-system', account: 'backup-operator' });
  });
  after(async () => {
    await operator?.stop();
    await cluster?.stop();
  });

  it('passes its own tests', async () => {
    const { code, stderr } = await runProgram(python, ['-B', '-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'], {
      cwd: operator.folder,
    });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Ran [1-9]\d* tests/m);
  });

  it('is installed, and two replicas choose a leader', async () => {
    await run(`apply -f ${file('manifests/crd.yaml')} -f ${file('manifests/operator.yaml')} -f ${file('manifests/webhooks.yaml')}`);
    await run('wait --for=condition=Established --timeout=60s crd/scheduledbackups.backup.example.com');
    assert.match(await refused(`create -f ${file('examples/old.yaml')}`), /failed calling webhook|conversion webhook/);
    first = await operator.start('first');
    await operator.leads(first);
    second = await operator.start('second');
    assert.equal(await operator.leader(), 'first');
  });

  it('takes an old version and shows it in the new one, with the defaults of that', async () => {
    const { stdout, stderr } = await cluster.kubectl(['create', '-f', file('examples/old.yaml')]);
    assert.match(stdout, /^scheduledbackup\.backup\.example\.com\/nightly created$/m, stderr);
    assert.match(stderr, /^Warning: there is no PersistentVolumeClaim data yet$/m);
    const spec = JSON.parse(await run('get sb nightly -o jsonpath={.spec}')) as unknown;
    assert.deepEqual(spec, {
      deletionPolicy: 'Retain',
      destination: { storage: '1Gi' },
      image: 'docker.io/library/busybox:1.37',
      keep: 7,
      schedule: '0 3 * * *',
      source,
      suspend: false,
    });
    const creator = 'get sb nightly -o jsonpath={.metadata.annotations.backup\\.example\\.com/created-by}';
    assert.equal(await run(creator), 'kubernetes-admin');
  });

  it('loses nothing when a new version is written as an old one', async () => {
    await run(`create -f ${file('examples/backup.yaml')}`);
    const old = JSON.parse(await run('get scheduledbackups.v1alpha1.backup.example.com hourly -o json')) as OldBackup;
    assert.deepEqual(old.spec, { cron: '15 * * * *', claim: 'data', keep: 24 });
    assert.match(old.metadata.annotations['backup.example.com/v1-spec'] ?? '', /"timeZone": "Europe\/Berlin"/);
    await run('patch scheduledbackups.v1alpha1.backup.example.com hourly --type=merge -p {"spec":{"keep":5}}');
    assert.equal(await run('get sb hourly -o jsonpath={.spec.keep}/{.spec.timeZone}/{.spec.destination.storage}'), '5/Europe/Berlin/2Gi');
  });

  it('refuses what is wrong, and says why', async () => {
    const create = (name: string, spec: object) => refused('create -f -', backup(name, spec));
    assert.match(
      await create('wrong', { source, schedule: '0 25 * * *' }),
      /admission webhook "schedule\.scheduledbackups\.backup\.example\.com" denied the request: spec\.schedule: '25' is no hour from 0 to 23/,
    );
    assert.match(await create('wrong', { source, schedule: '@daily', timeZone: 'Mars' }), /spec\.timeZone: there is no time zone 'Mars'/);
    assert.match(
      await create('wrong', { source: { claimName: 'wrong-backups' }, schedule: '@daily' }),
      /the source must not be the claim of the backups/,
    );
    assert.match(
      await create('wrong', { source, schedule: '@daily', destination: { storage: 'much' } }),
      /spec\.destination\.storage: Invalid value: .*storage must be a quantity above zero/,
    );
    const patch = (spec: object) => refused(`patch sb hourly --type=merge -p ${JSON.stringify({ spec })}`);
    assert.match(await patch({ destination: { storage: '1Gi' } }), /spec\.destination\.storage: Invalid value: .*storage can only grow/);
    assert.match(await patch({ source: { claimName: 'other' } }), /the source is immutable; make another ScheduledBackup/);
  });

  it('makes a claim and a CronJob, and tells of them in the status', async () => {
    await until('get sb hourly -o wide', /^hourly +15 \* \* \* \* +data +True +Scheduled$/m);
    const cronJob = '{.spec.schedule}/{.spec.timeZone}/{.spec.suspend}/{.metadata.ownerReferences[0].kind}';
    assert.equal(await run(`get cronjob hourly -o jsonpath=${cronJob}`), '15 * * * */Europe/Berlin/false/ScheduledBackup');
    assert.equal(await run('get pvc hourly-backups -o jsonpath={.spec.resources.requests.storage}/{.metadata.ownerReferences}'), '2Gi/');
    assert.match(await run('describe sb hourly'), /Normal +Scheduled .* backup\.example\.com\/backup-operator +backups are made at 15/);
    await run('patch sb hourly --type=merge -p {"spec":{"suspend":true}}');
    await until('get sb hourly -o wide', / False +Suspended$/m);
    assert.equal(await run('get cronjob hourly -o jsonpath={.spec.suspend}'), 'true');
    assert.equal(
      await run('get sb hourly -o jsonpath={.status.observedGeneration}'),
      await run('get sb hourly -o jsonpath={.metadata.generation}'),
    );
  });

  it('mends what others change, and takes over nothing of theirs', async () => {
    await run('delete cronjob hourly');
    await until('get cronjobs', /^hourly /m);
    await run('create cronjob mine --image=mine --schedule=@daily');
    await run('create -f -', backup('mine', { source, schedule: '@hourly' }));
    await until('get sb mine -o wide', / False +NameTaken$/m);
    assert.equal(await run('get cronjob mine -o jsonpath={.spec.schedule}'), '@daily');
  });

  it('goes on with the other replica when the leader is killed', async () => {
    await first.stop();
    await operator.leads(second);
    assert.equal(await operator.leader(), 'second');
    await run('patch sb hourly --type=merge -p {"spec":{"schedule":"@daily"}}');
    await until('get cronjob hourly -o jsonpath={.spec.schedule}', /^@daily$/);
  });

  it('keeps the backups of one that is deleted, or deletes them, as it says', async () => {
    await run('delete sb hourly nightly --timeout=60s');
    await until('get cronjobs', /^NAME[^\n]*\nmine [^\n]*\n$/);
    await until('get pvc -o name', /^persistentvolumeclaim\/nightly-backups\n$/);
    await until('get events.events.k8s.io --field-selector reason=Retained', /nightly/);
    await until('get events.events.k8s.io --field-selector reason=Deleted', /hourly/);
  });

  it('may run in the cluster under the restricted Pod Security Standard', async () => {
    const { code, stderr } = await cluster.kubectl(['apply', '-f', file('manifests/deployment.yaml')]);
    assert.deepEqual([code, stderr], [0, '']);
    await until('get replicasets -n backup-system -o jsonpath={.items[*].status.replicas}', /^2$/);
  });

  it('gives its lease back when it is stopped', async () => {
    second.signal('SIGTERM');
    assert.equal(await second.exitCode, 0);
    assert.equal(await operator.leader(), '');
  });
});
