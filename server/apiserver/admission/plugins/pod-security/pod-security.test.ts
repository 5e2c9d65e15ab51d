import assert from 'node:assert/strict';
import { createManualClock } from '../../../../../api/base/testing/manual-clock.ts';
import type { Client } from '../../../../../api/client/client.ts';
import { createClient } from '../../../../../api/client/create-client.ts';
import { deployments } from '../../../../../api/resources/apps/v1/deployment.ts';
import { namespaces } from '../../../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../../../api/resources/core/v1/pod.ts';
import { serviceAccounts } from '../../../../../api/resources/core/v1/service-account.ts';
import type { PodSpec } from '../../../../../api/types/core-v1.ts';
import { createAPICaller } from '../../../testing/api-caller.ts';
import { type CompleteServer, refusal, startCompleteServer } from '../../../testing/complete-server.ts';
import { defaultPodSecurity, parsePodSecurityConfiguration } from './configuration.ts';
import { checkPodsOfNamespace } from './namespace-pods.ts';

const enforce = 'pod-security.kubernetes.io/enforce';
const privileged: PodSpec = { containers: [{ name: 'a', image: 'i', securityContext: { privileged: true } }] };
const plain: PodSpec = { containers: [{ name: 'a', image: 'i' }] };
const violation = 'violates PodSecurity "baseline:latest": privileged (container "a" must not set securityContext.privileged=true)';
/** Out of the value of a Warning header. */
const warningsOf = (headers: Readonly<Record<string, string>>) =>
  [...(headers['warning'] ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));

describe('PodSecurity', () => {
  let complete: CompleteServer;
  let admin: Client;
  before(async () => {
    complete = await startCompleteServer();
    ({ admin } = complete);
    await admin(namespaces).create({ metadata: { name: 'held', labels: { [enforce]: 'baseline' } } });
    await admin(namespaces).create({ metadata: { name: 'free' } });
    for (const namespace of ['held', 'free']) await admin(serviceAccounts).create({ metadata: { namespace, name: 'default' } });
  });
  after(() => complete.close());
  const call = () => createAPICaller(complete.server.transport);
  const label = (name: string, labels: Record<string, string>) =>
    call().call('PATCH', `/api/v1/namespaces/${name}`, { contentType: 'application/merge-patch+json', body: { metadata: { labels } } });

  it('refuses Pods that violate the level that is enforced', async () => {
    const create = admin(pods).create({ metadata: { namespace: 'held', name: 'p' }, spec: privileged });
    assert.equal(await refusal(create), `pods "p" is forbidden: ${violation}`);
    await admin(pods).create({ metadata: { namespace: 'held', name: 'fine' }, spec: plain });
    await admin(pods).create({ metadata: { namespace: 'free', name: 'p' }, spec: privileged });
  });
  it('refuses debugging containers that violate it, and no other change of a Pod', async () => {
    const api = call();
    const path = '/api/v1/namespaces/held/pods/fine';
    const body = { spec: { ephemeralContainers: [{ name: 'd', image: 'i', securityContext: { privileged: true } }] } };
    const failure = await api.failure(api.patch(`${path}/ephemeralcontainers`, 'strategic', body));
    assert.equal(failure.message, `pods "fine" is forbidden: ${violation.replaceAll('"a"', '"d"')}`);
    assert.equal((await api.patch(path, 'merge', { metadata: { labels: { a: 'b' } } })).status, 200);
  });
  it('warns of templates whose Pods will be refused', async () => {
    const body = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: { app: 'd' } }, template: { metadata: { labels: { app: 'd' } }, spec: privileged } },
    };
    const { status, headers } = await call().post('/apis/apps/v1/namespaces/held/deployments', body);
    assert.deepEqual([status, warningsOf(headers)], [201, [`would ${violation.replace('violates', 'violate')}`]]);
    assert.equal((await admin(deployments).list({ namespace: 'held' })).items.length, 1);
  });
  it('names the Pods that violate a level from now on', async () => {
    for (const name of ['q', 'r']) await admin(pods).create({ metadata: { namespace: 'free', name }, spec: privileged });
    await admin(pods).create({ metadata: { namespace: 'free', name: 'plain' }, spec: plain });
    const expected = [
      'existing pods in namespace "free" violate the new PodSecurity enforce level "baseline:latest"',
      'p (and 2 other pods): privileged',
    ];
    assert.deepEqual(warningsOf((await label('free', { [enforce]: 'baseline' })).headers), expected);
    assert.deepEqual(warningsOf((await label('free', { [enforce]: 'baseline', a: 'b' })).headers), []);
  });
  it('counts the Pods of more than one page', async () => {
    await label('free', { [enforce]: 'privileged' });
    for (let count = 0; count < 260; count++) {
      await admin(pods).create({ metadata: { namespace: 'free', name: `many-${count}` }, spec: privileged });
    }
    // A clock of the test's own: on a busy machine the time for it would be over before all pages are read.
    const clock = createManualClock();
    const warnings = await checkPodsOfNamespace('free', { level: 'baseline', version: 'latest' }, defaultPodSecurity, {
      client: admin,
      clock,
    });
    assert.equal(warnings[1], 'many-0 (and 262 other pods): privileged');
  });
  it('refuses labels that are no level or version, and lets go what was there before', async () => {
    const { status, text } = await label('held', { [enforce]: 'strict' });
    assert.equal(status, 422);
    assert.match(
      text,
      /metadata\.labels\[pod-security\.kubernetes\.io\/enforce\]: Invalid value: \\"strict\\": must be one of privileged, baseline, restricted/,
    );
  });
});

describe('PodSecurity with a configuration', () => {
  const configuration = parsePodSecurityConfiguration({
    apiVersion: 'pod-security.admission.config.k8s.io/v1',
    kind: 'PodSecurityConfiguration',
    defaults: { enforce: 'baseline', 'enforce-version': 'v1.30' },
    exemptions: { usernames: ['robot'], runtimeClasses: [], namespaces: ['kube-system'] },
  });
  let complete: CompleteServer;
  before(async () => {
    complete = await startCompleteServer(undefined, {}, { podSecurity: configuration });
  });
  after(() => complete.close());
  const create = (client: Client, namespace = 'default') =>
    client(pods).create({ metadata: { namespace, generateName: 'p-' }, spec: { ...privileged, serviceAccountName: 'default' } });

  it('holds namespaces without labels to the defaults, whoever asks but the exempt', async () => {
    assert.match(await refusal(create(complete.admin)), /violates PodSecurity "baseline:v1\.30"/);
    await create(createClient(complete.server.transport, { user: { name: 'robot', groups: ['system:masters'] } }));
  });
  it('leaves exempt namespaces alone, and says so to those who label them', async () => {
    await complete.admin(serviceAccounts).create({ metadata: { namespace: 'kube-system', name: 'default' } });
    await create(complete.admin, 'kube-system');
    const api = createAPICaller(complete.server.transport);
    const { headers } = await api.patch('/api/v1/namespaces/kube-system', 'merge', { metadata: { labels: { [enforce]: 'restricted' } } });
    assert.deepEqual(warningsOf(headers), [
      'namespace "kube-system" is exempt from Pod Security, and the policy (enforce=restricted:v1.30) will be ignored',
    ]);
  });
  const wrong: [what: string, document: object, message: RegExp][] = [
    ['another kind', { kind: 'Policy', apiVersion: 'v1' }, /no kind "Policy" is registered for version "v1"/],
    ['an unknown field', { defaults: { enforced: 'baseline' } }, /defaults has the unknown field "enforced"/],
    ['a level that is none', { defaults: { warn: 'some' } }, /defaults\.warn: Invalid value: "some": must be one of/],
    ['a namespace twice', { exemptions: { namespaces: ['a', 'a'] } }, /exemptions\.namespaces\[1\]: Duplicate value: "a"/],
    ['no user', { exemptions: { usernames: [''] } }, /exemptions\.usernames\[0\]: Invalid value: "": username must not be empty/],
  ];
  for (const [what, document, message] of wrong)
    it(`refuses ${what}`, () => {
      const whole = { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration', ...document };
      assert.throws(() => parsePodSecurityConfiguration(whole), message);
    });
});
