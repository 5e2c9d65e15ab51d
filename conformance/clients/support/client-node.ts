import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import {
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  Exec,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Status,
  VersionApi,
  Watch,
} from '@kubernetes/client-node';
import { until } from './guestbook.ts';

/** The context of the checks of the official JavaScript client. */
interface ClientNodeContext {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly image: string;
}

type Check = (context: ClientNodeContext) => Promise<void>;

async function expectStatus(code: number, reason: string, call: Promise<unknown>): Promise<void> {
  const error: unknown = await call.then(
    () => assert.fail(`no error, wanted ${reason}`),
    (problem: unknown) => problem,
  );
  assert.ok(error instanceof ApiException, String(error));
  assert.equal(error.code, code);
  const body: unknown = error.body;
  assert.equal((typeof body === 'string' ? (JSON.parse(body) as V1Status) : (body as V1Status)).reason, reason);
}

const versionAndErrors: Check = async ({ kubeConfig, namespace }) => {
  assert.match((await kubeConfig.makeApiClient(VersionApi).getCode()).gitVersion, /^v1\.36\./);
  const core = kubeConfig.makeApiClient(CoreV1Api);
  await expectStatus(404, 'NotFound', core.readNamespacedConfigMap({ namespace, name: 'missing' }));
  const bad = { metadata: { name: 'Bad Name' } };
  await expectStatus(422, 'Invalid', core.createNamespacedConfigMap({ namespace, body: bad }));
};

const createReplaceDelete: Check = async ({ kubeConfig, namespace }) => {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const made = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'crud' }, data: { a: '1' } } });
  const replaced = await core.replaceNamespacedConfigMap({ namespace, name: 'crud', body: { ...made, data: { a: '2' } } });
  assert.deepEqual(replaced.data, { a: '2' });
  await expectStatus(409, 'Conflict', core.replaceNamespacedConfigMap({ namespace, name: 'crud', body: made }));
  await core.deleteNamespacedConfigMap({ namespace, name: 'crud' });
};

const patches: Check = async ({ kubeConfig, namespace }) => {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'patched' }, data: { a: '1', b: '2' } } });
  const patch = async (strategy: string, body: object) =>
    (await core.patchNamespacedConfigMap({ namespace, name: 'patched', body }, setHeaderOptions('Content-Type', strategy))).data;
  assert.deepEqual(await patch(PatchStrategy.MergePatch, { data: { a: null } }), { b: '2' });
  assert.deepEqual(await patch(PatchStrategy.StrategicMergePatch, { data: { c: '3' } }), { b: '2', c: '3' });
  assert.deepEqual(await patch(PatchStrategy.JsonPatch, [{ op: 'remove', path: '/data/b' }]), { c: '3' });
};

const anyObject: Check = async ({ kubeConfig, namespace }) => {
  const objects = KubernetesObjectApi.makeApiClient(kubeConfig);
  const spec: KubernetesObject & V1ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'applied', namespace },
    data: { a: '1' },
  };
  await objects.patch(spec, undefined, undefined, 'one', true, PatchStrategy.ServerSideApply);
  const other = { ...spec, data: { a: '2' } };
  await expectStatus(409, 'Conflict', objects.patch(other, undefined, undefined, 'two', false, PatchStrategy.ServerSideApply));
  const forced = await objects.patch(other, undefined, undefined, 'two', true, PatchStrategy.ServerSideApply);
  assert.deepEqual(
    forced.metadata?.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
    ['two Apply'],
  );
  await objects.delete(spec);
};

const watchFollows: Check = async ({ kubeConfig, namespace }) => {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  const seen: string[] = [];
  const query = { resourceVersion: metadata?.resourceVersion, labelSelector: 'watch=me' };
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const watching = await new Watch(kubeConfig).watch(
    path,
    query,
    (type, object: V1ConfigMap) => void seen.push(`${type} ${object.data?.['n']}`),
    () => undefined,
  );
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'seen', labels: { watch: 'me' } }, data: { n: '0' } } });
  for (const n of ['1', '2', '3'])
    await core.patchNamespacedConfigMap({ namespace, name: 'seen', body: [{ op: 'replace', path: '/data/n', value: n }] });
  await core.deleteNamespacedConfigMap({ namespace, name: 'seen' });
  await until('the deletion in the watch', async () => seen.length === 5);
  watching.abort();
  assert.deepEqual(seen, ['ADDED 0', 'MODIFIED 1', 'MODIFIED 2', 'MODIFIED 3', 'DELETED 3']);
};

const informerFollows: Check = async ({ kubeConfig, namespace }) => {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const informer = makeInformer(kubeConfig, `/api/v1/namespaces/${namespace}/secrets`, () => core.listNamespacedSecret({ namespace }));
  await informer.start();
  const names = Array.from({ length: 50 }, (_, n) => `secret-${n}`);
  await Promise.all(names.map((name) => core.createNamespacedSecret({ namespace, body: { metadata: { name } } })));
  await core.deleteNamespacedSecret({ namespace, name: 'secret-0' });
  await until('the informer to hold what there is', async () => informer.list(namespace).length === 49);
  await informer.stop();
};

const podOf = (name: string, image: string) => ({
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      { name: 'main', image, command: ['sh', '-c', 'echo started; mkdir /w; echo hi >/w/index.html; exec busybox httpd -f -p 8080 -h /w'] },
    ],
  },
});

const execAndLog: Check = async ({ kubeConfig, namespace, image }) => {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  await core.createNamespacedPod({ namespace, body: podOf('node', image) });
  await until('the pod to run', async () => (await core.readNamespacedPod({ namespace, name: 'node' })).status?.phase === 'Running');
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const status = new Promise<V1Status>((resolve, reject) => {
    const command = ['sh', '-c', 'read line; echo "got $line"; echo problem >&2; exit 4'];
    new Exec(kubeConfig).exec(namespace, 'node', 'main', command, output, errors, input, false, resolve).catch(reject);
  });
  input.write('a line\n');
  const { reason, details } = await status;
  assert.equal(reason, 'NonZeroExitCode');
  assert.equal(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message, '4');
  assert.deepEqual([String(output.read()), String(errors.read())], ['got a line\n', 'problem\n']);
  const log = new PassThrough();
  await new Log(kubeConfig).log(namespace, 'node', 'main', log, { follow: false });
  await until('the log', async () => log.readableLength > 0);
  assert.equal(String(log.read()), 'started\n');
};

const portForward: Check = async ({ kubeConfig, namespace }) => {
  const forward = new PortForward(kubeConfig);
  const server = createServer((socket) => void forward.portForward(namespace, 'node', [8080], socket, null, socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /index.html HTTP/1.0\r\n\r\n'));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text.endsWith('hi\n')) resolve(text);
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
  server.close();
  assert.match(answer, /^HTTP\/1\.\d 200 [^]*hi\n$/);
};

const scaleAndReview: Check = async ({ kubeConfig, namespace, image }) => {
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: podOf('web', image).spec };
  await apps.createNamespacedDeployment({
    namespace,
    body: { metadata: { name: 'web' }, spec: { replicas: 0, selector: { matchLabels: labels }, template } },
  });
  await apps.patchNamespacedDeploymentScale({ namespace, name: 'web', body: [{ op: 'replace', path: '/spec/replicas', value: 2 }] });
  await until('two replicas', async () => (await apps.readNamespacedDeployment({ namespace, name: 'web' })).status?.readyReplicas === 2);
  const review = await kubeConfig
    .makeApiClient(AuthorizationV1Api)
    .createSelfSubjectAccessReview({ body: { spec: { resourceAttributes: { verb: 'delete', resource: 'nodes' } } } });
  assert.equal(review.status?.allowed, true);
};

/** In the order in which they must run. */
export const clientNodeChecks: Readonly<Record<string, Check>> = {
  'version and errors': versionAndErrors,
  'create, replace, delete': createReplaceDelete,
  'all kinds of patches': patches,
  'server-side apply of any object': anyObject,
  'a watch follows': watchFollows,
  'an informer follows': informerFollows,
  'exec with input and exit code, and the log': execAndLog,
  'port-forward': portForward,
  'scale and access review': scaleAndReview,
};
