import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { systemClock } from '../../../api/base/system-clock.ts';
import { type ClosableSecureDialer, createSecureDialer } from '../../serving/secure-dialer.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { createLargeTasks } from '../registry/large-objects/large-tasks.ts';
import type { LargeTask, LargeWork } from '../registry/large-objects/large-work.ts';
import { type RecordingWebhook, startRecordingWebhook } from '../admission/webhooks/testing/recording-webhook.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../testing/complete-server.ts';

type Converted = { apiVersion: string; metadata: Record<string, unknown>; [field: string]: unknown };

/** v1 has hostPort, v2 host and port. */
function convert(object: Converted, apiVersion: string): object {
  const { hostPort, host, port, ...rest } = object as Converted & { hostPort?: string; host?: string; port?: string };
  if (apiVersion === object.apiVersion) return object;
  if (apiVersion.endsWith('/v1')) return { ...rest, apiVersion, hostPort: `${host}:${port}` };
  const [own, ownPort] = (hostPort ?? '').split(':');
  return { ...rest, apiVersion, host: own, port: ownPort };
}

interface ConversionReview {
  readonly apiVersion: string;
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly Converted[] };
}

const answerWith = (change: (review: ConversionReview) => object) => (review: unknown, response: ServerResponse) => {
  const asked = review as ConversionReview;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({ apiVersion: asked.apiVersion, kind: 'ConversionReview', response: { uid: asked.request.uid, ...change(asked) } }),
  );
};
const right = answerWith(({ request }) => ({
  result: { status: 'Success' },
  convertedObjects: request.objects.map((object) => convert(object, request.desiredAPIVersion)),
}));

describe('custom kinds with a conversion webhook', function () {
  this.timeout(60_000);
  let complete: CompleteServer;
  let webhook: RecordingWebhook;
  let dialer: ClosableSecureDialer;
  let api: APICaller;
  const tasks: LargeTask['kind'][] = [];
  const at = (version: string) => `/apis/example.com/${version}/namespaces/default/endpoints`;
  before(async () => {
    webhook = await startRecordingWebhook();
    webhook.on('/convert', right as never);
    dialer = createSecureDialer({ clock: systemClock });
    const perform = createLargeTasks(catalog, () => 0);
    const largeWork: LargeWork = {
      async run(task) {
        tasks.push(task.kind);
        return structuredClone(perform(structuredClone(task)));
      },
      nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    };
    complete = await startCompleteServer(undefined, {}, {}, { secureDialer: dialer, largeWork });
    api = createAPICaller(complete.server.transport);
    const text = { type: 'string' };
    const version = (name: string, storage: boolean, properties: object) => ({
      ...{ name, served: true, storage, selectableFields: Object.keys(properties).map((field) => ({ jsonPath: `.${field}` })) },
      schema: { openAPIV3Schema: { type: 'object', properties } },
    });
    const clientConfig = { url: `https://127.0.0.1:${webhook.port}/convert`, caBundle: webhook.caBundle };
    const created = await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'endpoints.example.com' },
      spec: {
        ...{ group: 'example.com', scope: 'Namespaced', names: { plural: 'endpoints', kind: 'Endpoint' } },
        versions: [version('v1', true, { hostPort: text }), version('v2', false, { host: text, port: text })],
        conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1', 'v1beta1'] } },
      },
    });
    assert.equal(created.status, 201, created.text);
    await eventually('the kind is served', async () => (await api.get(at('v2'))).status === 200);
  });
  after(async () => {
    await complete.close();
    dialer.close();
    await webhook.close();
  });
  beforeEach(() => {
    webhook.on('/convert', right as never);
    webhook.calls.length = 0;
  });

  it('are written and read in both versions', async () => {
    const one = await api.post(at('v1'), { apiVersion: 'example.com/v1', kind: 'Endpoint', metadata: { name: 'one' }, hostPort: 'a:1' });
    assert.equal(one.status, 201, one.text);
    assert.equal(webhook.calls.length, 0, 'the stored version needs no conversion');
    const two = await api.post(at('v2'), {
      apiVersion: 'example.com/v2',
      kind: 'Endpoint',
      metadata: { name: 'two' },
      host: 'b',
      port: '2',
    });
    assert.equal(two.status, 201, two.text);
    assert.deepEqual([two.body['host'], two.body['port'], two.body['apiVersion']], ['b', '2', 'example.com/v2']);
    assert.equal((await api.get(`${at('v1')}/two`)).body['hostPort'], 'b:2');
    const read = (await api.get(`${at('v2')}/one`)).body;
    assert.deepEqual([read['host'], read['port'], read['hostPort'], read['kind']], ['a', '1', undefined, 'Endpoint']);
  });

  it('are listed with few calls, and converted once', async () => {
    for (let index = 0; index < 150; index++)
      await api.post(at('v1'), {
        apiVersion: 'example.com/v1',
        kind: 'Endpoint',
        metadata: { name: `many-${index}` },
        hostPort: `m:${index}`,
      });
    const list = await api.get<{ items: { host: string }[] }>(at('v2'));
    assert.equal(list.body.items.length, 152);
    assert.ok(list.body.items.every(({ host }) => /^[abm]$/.test(host)));
    assert.ok(webhook.calls.length <= 2, `${webhook.calls.length} calls`);
    const before = webhook.calls.length;
    await api.get(at('v2'));
    assert.equal(webhook.calls.length, before);
  });

  it('are patched and deleted in the other version', async () => {
    const patched = await api.patch(`${at('v2')}/one`, 'merge', { port: '9' });
    assert.equal(patched.status, 200, patched.text);
    assert.equal((await api.get(`${at('v1')}/one`)).body['hostPort'], 'a:9');
    assert.equal((await api.delete(`${at('v2')}/one`)).status, 200);
    assert.equal((await api.get(`${at('v1')}/one`)).status, 404);
  });

  it('are watched in the other version', async () => {
    const { body } = await api.get<{ metadata: { resourceVersion: string } }>(at('v2'));
    const watch = await api.watch(`${at('v2')}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
    await api.post(at('v1'), { apiVersion: 'example.com/v1', kind: 'Endpoint', metadata: { name: 'seen' }, hostPort: 's:5' });
    const { type, object } = await watch.next();
    assert.deepEqual([type, object['host'], object['port']], ['ADDED', 's', '5']);
    watch.stop();
  });

  it('are selected by fields that only one of the versions has', async () => {
    const namesOf = async (version: string, selector: string) => {
      const { body, text } = await api.get<{ items: { metadata: { name: string } }[] }>(`${at(version)}?fieldSelector=${selector}`);
      assert.ok(body.items, text);
      return body.items.map(({ metadata }) => metadata.name).sort();
    };
    assert.deepEqual(await namesOf('v2', 'host=b'), ['two']);
    assert.deepEqual(await namesOf('v1', 'hostPort=b:2'), ['two']);
    assert.deepEqual(await namesOf('v2', 'host=m,port=7'), ['many-7']);
    const { body } = await api.get<{ metadata: { resourceVersion: string } }>(at('v2'));
    const watch = await api.watch(`${at('v2')}?watch=true&fieldSelector=host=w&resourceVersion=${body.metadata.resourceVersion}`);
    const put = (name: string, hostPort: string) =>
      api.post(at('v1'), { apiVersion: 'example.com/v1', kind: 'Endpoint', metadata: { name }, hostPort });
    await put('w1', 'x:1');
    await put('w2', 'w:2');
    await api.patch(`${at('v1')}/w1`, 'merge', { hostPort: 'w:1' });
    await api.patch(`${at('v1')}/w2`, 'merge', { hostPort: 'x:2' });
    await api.delete(`${at('v2')}/w1`);
    const seen: string[] = [];
    for (let count = 0; count < 4; count++) {
      const { type, object } = await watch.next();
      seen.push(`${type} ${String(object.metadata['name'])}`);
    }
    assert.deepEqual(seen, ['ADDED w2', 'ADDED w1', 'DELETED w2', 'DELETED w1']);
    watch.stop();
  });

  it('have managers of both versions, each of which loses what the other changes', async () => {
    const apply = (version: string, manager: string, fields: object, query = '') =>
      api.patch(`${at(version)}/owned?fieldManager=${manager}${query}`, 'apply', {
        ...{ apiVersion: `example.com/${version}`, kind: 'Endpoint', metadata: { name: 'owned' } },
        ...fields,
      });
    assert.equal((await apply('v1', 'a', { hostPort: 'o:1' })).status, 201);
    const refused = await apply('v2', 'b', { port: '2' });
    assert.equal(refused.status, 409);
    assert.match(refused.text, /conflict with \\"a\\": .hostPort/);
    const forced = await apply('v2', 'b', { port: '2' }, '&force=true');
    assert.equal(forced.status, 200, forced.text);
    const { managedFields } = forced.body['metadata'] as { managedFields: { manager: string; apiVersion: string; fieldsV1: object }[] };
    assert.deepEqual(
      managedFields.map(({ manager, apiVersion, fieldsV1 }) => [manager, apiVersion, fieldsV1]),
      [['b', 'example.com/v2', { 'f:port': {} }]],
    );
  });

  it('are worked on in another thread where they are large, in either version', async () => {
    const long = 'h'.repeat(100_000);
    tasks.length = 0;
    const big = { apiVersion: 'example.com/v2', kind: 'Endpoint', metadata: { name: 'big' }, host: long, port: '2' };
    const made = await api.post(at('v2'), big);
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(tasks, ['read', 'settle']);
    assert.equal((await api.get(`${at('v1')}/big`)).body['hostPort'], `${long}:2`);
    tasks.length = 0;
    const patched = await api.patch(`${at('v2')}/big`, 'merge', { port: '3' });
    assert.deepEqual(tasks, ['patch', 'settle']);
    assert.deepEqual([patched.status, patched.body['port'], patched.body['host']], [200, '3', long]);
    const read = await api.get<Converted>(`${at('v1')}/big`);
    assert.equal(read.body['hostPort'], `${long}:3`);
    tasks.length = 0;
    const updated = await api.put(`${at('v1')}/big`, { ...read.body, hostPort: `${long}:4` });
    assert.deepEqual([updated.status, updated.body['hostPort']], [200, `${long}:4`]);
    // Who owns what in the other version is known by the webhook, which the other thread does not call.
    assert.deepEqual(tasks, ['read', 'settle']);
    assert.equal((await api.get(`${at('v2')}/big`)).body['port'], '4');
    assert.equal((await api.delete(`${at('v1')}/big`)).status, 200);
  });

  it('are converted in calls that stay small, a few at a time', async () => {
    const hostPort = `${'l'.repeat(300_000)}:1`;
    const names = Array.from({ length: 12 }, (_, index) => `long-${index}`);
    for (const name of names) {
      const { status, text } = await api.post(at('v1'), { apiVersion: 'example.com/v1', kind: 'Endpoint', metadata: { name }, hostPort });
      assert.equal(status, 201, text);
    }
    let open = 0;
    let most = 0;
    webhook.on('/convert', ((review: ConversionReview, response: ServerResponse) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        right(review, response);
      }, 20);
    }) as never);
    const { status, body } = await api.get<{ items: { host: string }[] }>(`${at('v2')}?labelSelector=!none`);
    assert.equal(status, 200);
    assert.equal(body.items.filter(({ host }) => host.length === 300_000).length, 12);
    assert.ok(webhook.calls.length >= 4 && most <= 4, `${webhook.calls.length} calls, ${most} at once`);
    assert.ok(webhook.calls.every((call) => call.body.length < 1_200_000));
    for (const name of names) await api.delete(`${at('v1')}/${name}`);
  });

  it('fail where the webhook answers with a million values', async () => {
    const made = { apiVersion: 'example.com/v1', kind: 'Endpoint', metadata: { name: 'values' }, hostPort: 'f:1' };
    assert.equal((await api.post(at('v1'), made)).status, 201);
    webhook.on('/convert', ((_review: ConversionReview, response: ServerResponse) =>
      response.end(`[${'0,'.repeat(1_000_000)}0]`)) as never);
    const { status, text } = await api.get(`${at('v2')}/values`);
    assert.equal(status, 500, text);
    assert.match(text, /the response has more than 250000 values/);
    assert.equal((await api.delete(`${at('v1')}/values`)).status, 200);
  });

  const wrong: readonly (readonly [name: string, answer: (review: ConversionReview) => object, message: RegExp])[] = [
    [
      'refuses',
      () => ({ result: { status: 'Failure', message: 'no' } }),
      /conversion webhook for example.com\/v1, Kind=Endpoint failed: no/,
    ],
    ['gives too few', () => ({ result: { status: 'Success' }, convertedObjects: [] }), /returned 0 objects, expected 1/],
    [
      'gives another version',
      ({ request }) => ({ result: { status: 'Success' }, convertedObjects: request.objects }),
      /returned invalid converted object at index 0: invalid groupVersion \(expected example.com\/v2, received example.com\/v1\)/,
    ],
    [
      'renames',
      ({ request }) => ({
        result: { status: 'Success' },
        convertedObjects: request.objects.map((object) => ({
          ...convert(object, 'example.com/v2'),
          metadata: { ...object.metadata, name: 'x' },
        })),
      }),
      /invalid metadata.name \(expected "fresh-\d", received "x"\)/,
    ],
  ];
  for (const [index, [name, answer, message]] of wrong.entries())
    it(`fail where the webhook ${name}`, async () => {
      const made = { apiVersion: 'example.com/v1', kind: 'Endpoint', metadata: { name: `fresh-${index}` }, hostPort: 'f:1' };
      assert.equal((await api.post(at('v1'), made)).status, 201);
      webhook.on('/convert', answerWith(answer) as never);
      const { status, text } = await api.get(`${at('v2')}/fresh-${index}`);
      assert.equal(status, 500, text);
      assert.match((JSON.parse(text) as { message: string }).message, message);
      assert.equal((await api.get(`${at('v1')}/fresh-${index}`)).status, 200, 'the stored version is read as before');
    });
});
