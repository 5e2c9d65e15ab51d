import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { type ClosableSecureDialer, createSecureDialer } from '../../../serving/secure-dialer.ts';
import { type APICaller, createAPICaller } from '../../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../../testing/complete-server.ts';
import { patching, type RecordingWebhook, startRecordingWebhook, type WebhookAnswer } from './testing/recording-webhook.ts';

const endless = Buffer.alloc(65_536, 0x61);
const millionValues = Buffer.from(`[${'0,'.repeat(1_000_000)}0]`);
const json = { 'content-type': 'application/json' };

/** A response with a patch that is made before, so that its making takes no time of the test. */
const patched = (...operations: readonly object[]): WebhookAnswer => {
  const fields = JSON.stringify(patching(...operations)).slice(1);
  return ({ apiVersion, request }, response) =>
    response.end(`{"apiVersion":"${apiVersion}","kind":"AdmissionReview","response":{"uid":"${request.uid}",${fields}}`);
};
/** Doubles a value of the object with each operation. */
const doubling = patched(
  { op: 'add', path: '/data', value: { a: 'x'.repeat(1000) } },
  ...Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '/data', path: `/data/${index}` })),
);
const manyOperations = patched(...Array.from({ length: 10_001 }, () => ({ op: 'add', path: '/data/z', value: 'x' })));

const attacks: readonly (readonly [name: string, answer: WebhookAnswer, message: RegExp])[] = [
  ['never answers', () => {}, /context deadline exceeded/],
  ['sends its head and no body', (_review, response) => response.writeHead(200, json).flushHeaders(), /context deadline exceeded/],
  [
    'drips',
    (_review, response) => {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    },
    /context deadline exceeded/,
  ],
  [
    'answers without an end',
    (_review, response) => {
      response.write('{"kind":"AdmissionReview","response":{"patch":"');
      const more = () => void (response.destroyed || (response.write(endless) ? setImmediate(more) : response.once('drain', more)));
      more();
    },
    /Response body was larger than 8388608 bytes|context deadline exceeded/,
  ],
  ['answers a million values', (_review, response) => response.end(millionValues), /the response has more than 250000 values/],
  ['nests as deep as it can', (_review, response) => response.end(`{"a":${'['.repeat(200_000)}`), /json parse error/],
  ['redirects', (_review, response) => response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end(), /status code 302/],
  ['keeps the method of a redirect', (_review, response) => response.writeHead(307, { location: '/elsewhere' }).end(), /status code 307/],
  ['copies and doubles', doubling, /exceeding the limit 3145728/],
  ['patches too often', manyOperations, /maximum operations in a JSON patch is 10000/],
  [
    'patches with a million values',
    patched({ op: 'add', path: '/data', value: Array.from({ length: 300_000 }, () => 0) }),
    /the patch has more than 250000 values/,
  ],
];

describe('an admission webhook that means harm', function () {
  this.timeout(60_000);
  let complete: CompleteServer;
  let webhook: RecordingWebhook;
  let dialer: ClosableSecureDialer;
  let api: APICaller;
  const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  before(async () => {
    webhook = await startRecordingWebhook();
    dialer = createSecureDialer({ clock: systemClock });
    complete = await startCompleteServer(undefined, {}, {}, { secureDialer: dialer });
    api = createAPICaller(complete.server.transport);
    const rules = [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }];
    const clientConfig = { url: `https://127.0.0.1:${webhook.port}/attack`, caBundle: webhook.caBundle };
    const hook = { rules, clientConfig, sideEffects: 'None', admissionReviewVersions: ['v1'] };
    const webhooks = [1, 30].map((timeoutSeconds) => {
      const objectSelector = { matchLabels: { timeout: String(timeoutSeconds) } };
      return { ...hook, name: `a.b.c${timeoutSeconds}`, timeoutSeconds, objectSelector };
    });
    const { status, text } = await api.post(configurations, { metadata: { name: 'hostile' }, webhooks });
    assert.equal(status, 201, text);
    await eventually('the webhook is called', async () => {
      await api.post('/api/v1/namespaces/default/configmaps?dryRun=All', { metadata: { name: 'first', labels: { timeout: '30' } } });
      return webhook.calls.length > 0;
    });
  });
  after(async () => {
    await complete.close();
    dialer.close();
    await webhook.close();
  });

  for (const [name, answer, message] of attacks)
    it(`${name}: the request fails, others go on`, async () => {
      webhook.on('/attack', answer);
      // Only where the time is to end a call there is little of it.
      const timeout = message.source.includes('deadline') ? '1' : '30';
      const held = monitorEventLoopDelay({ resolution: 5 });
      held.enable();
      const attacked = Array.from({ length: 4 }, (_, index) =>
        api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: `x${index}`, labels: { timeout } }, data: {} }),
      );
      const other = await api.post('/api/v1/namespaces/default/secrets', { metadata: { generateName: 'free-' } });
      assert.equal(other.status, 201, other.text);
      for (const { status, text } of await Promise.all(attacked)) {
        assert.equal(status, 500, text);
        assert.match(text, message);
      }
      held.disable();
      if (process.env['SHOW_HOLDS'] !== undefined) console.log(`      held for ${Math.round(held.max / 1e6)} ms at most`);
    });

  it('cannot keep the administrator from removing it', async () => {
    webhook.on('/attack', () => {});
    const { status, text } = await api.delete(`${configurations}/hostile`);
    assert.equal(status, 200, text);
    await eventually('the webhook is gone', async () => {
      const answer = await api.post('/api/v1/namespaces/default/configmaps?dryRun=All', {
        metadata: { name: 'last', labels: { timeout: '1' } },
      });
      return answer.status === 201;
    });
  });
});
