import { setTimeout as delay } from 'node:timers/promises';
import type { APICaller, Answer } from '../../../testing/api-caller.ts';
import { allow, type RecordingWebhook } from './recording-webhook.ts';
import type { WebhookCase } from './case-parts.ts';

/** The outcome of a case, without all that is different each time. */
export interface CaseResult {
  readonly name: string;
  readonly calls: readonly { readonly webhook: string; readonly query: string; readonly review: unknown }[];
  readonly status: number;
  readonly body: unknown;
  readonly warnings: string;
}

const group = '/apis/admissionregistration.k8s.io/v1';
const ready = '/api/v1/namespaces/hooked/serviceaccounts?dryRun=All';

/** Makes the namespace that all cases use. */
export async function prepareCases(api: APICaller): Promise<void> {
  await expectSuccess(api.post('/api/v1/namespaces', { metadata: { name: 'hooked', labels: { team: 'blue' } } }));
  await expectSuccess(api.post('/api/v1/namespaces/hooked/serviceaccounts', { metadata: { name: 'default' } }), 409);
}

/** Runs one case: creates its configurations, waits until they are in force, and sends its request. */
export async function runWebhookCase(one: WebhookCase, index: number, api: APICaller, webhook: RecordingWebhook): Promise<CaseResult> {
  for (const { path, body } of one.present ?? []) await expectSuccess(api.post(path, body));
  await configure(one, index, api, webhook);
  webhook.calls.length = 0;
  const { method, path, body, contentType } = one.request;
  const answer = await api.call(method, path, {
    ...(body === undefined ? {} : { body }),
    ...(contentType === undefined ? {} : { contentType }),
  });
  const calls = webhook.calls
    .filter((call) => !call.path.endsWith('/ready'))
    .map((call) => ({ webhook: call.path.split('/').at(-1) ?? '', query: call.query, review: JSON.parse(call.body) as unknown }));
  await remove(one, index, api, answer);
  return {
    name: one.name,
    calls: normalise(
      calls.toSorted((a, b) => (a.webhook < b.webhook ? -1 : a.webhook > b.webhook ? 1 : 0)),
      index,
      webhook,
    ) as CaseResult['calls'],
    status: answer.status,
    body: normalise(parse(answer.text), index, webhook),
    warnings: String(answer.headers['warning'] ?? ''),
  };
}

async function configure(one: WebhookCase, index: number, api: APICaller, webhook: RecordingWebhook): Promise<void> {
  for (const type of ['mutating', 'validating'] as const) {
    const own = one.webhooks.filter((each) => each.type === type);
    const webhooks = own.map(({ fields = {}, answer }, at) => {
      const name = `${type.charAt(0)}${at}`;
      const { caBundle = webhook.caBundle, ...rest } = fields as { caBundle?: string };
      webhook.on(`/${index}/${name}`, answer ?? allow);
      const clientConfig = { url: `https://127.0.0.1:${webhook.port}/${index}/${name}`, ...(caBundle === '' ? {} : { caBundle }) };
      return { name: `${name}.case.example.com`, clientConfig, sideEffects: 'None', admissionReviewVersions: ['v1'], ...rest };
    });
    const marker = {
      name: 'ready.case.example.com',
      clientConfig: { url: `https://127.0.0.1:${webhook.port}/${index}/${type}/ready`, caBundle: webhook.caBundle },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['serviceaccounts'] }],
      ...{ sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Ignore' },
    };
    const body = { metadata: { name: 'case' }, webhooks: [...webhooks, marker] };
    await expectSuccess(api.post(`${group}/${type}webhookconfigurations`, body));
  }
  const wanted = [`/${index}/mutating/ready`, `/${index}/validating/ready`];
  for (let attempt = 0; ; attempt++) {
    if (attempt > 1000) throw new Error(`the webhooks of '${one.name}' are never called`);
    webhook.calls.length = 0;
    await expectSuccess(api.post(ready, { metadata: { name: 'marker' } }));
    const called = webhook.calls.map(({ path }) => path);
    if (called.length === 2 && wanted.every((path) => called.includes(path))) return;
    await delay(10);
  }
}

async function remove(one: WebhookCase, _index: number, api: APICaller, answer: Answer): Promise<void> {
  for (const type of ['mutating', 'validating']) await expectSuccess(api.delete(`${group}/${type}webhookconfigurations/case`));
  const made = (answer.body as { metadata?: { name?: string } }).metadata?.name;
  const paths = (one.present ?? []).map(({ path, body }) => `${path}/${(body as { metadata: { name: string } }).metadata.name}`);
  const isDry = one.request.path.includes('dryRun');
  if (answer.status === 201 && !isDry && made && one.request.method === 'POST' && one.request.path.endsWith('configmaps'))
    paths.push(`${one.request.path}/${made}`);
  // Until the webhooks are gone for certain, deletions may fail.
  for (const path of paths.reverse())
    for (;;) {
      const { status } = await api.delete(path, { gracePeriodSeconds: 0 });
      if (status === 404 || (await api.get(path)).status === 404) break;
      await delay(10);
    }
}

async function expectSuccess(pending: Promise<Answer>, ...others: readonly number[]): Promise<void> {
  const { status, text } = await pending;
  if (status > 299 && !others.includes(status)) throw new Error(`${status} ${text}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const times = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;
const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Fields that are tested elsewhere, that are not the same for all ways of authentication, or that Pods of v1.32 do not have, or have. */
const left: ReadonlySet<string> = new Set(['managedFields', 'extra', 'generation', 'resizePolicy']);

/** Without uids, times, versions, ports, tokens and names that were generated. */
function normalise(value: unknown, index: number, webhook: RecordingWebhook): unknown {
  if (typeof value === 'string') {
    if (times.test(value)) return '<time>';
    return value
      .replaceAll(uuids, '<uid>')
      .replaceAll(`127.0.0.1:${webhook.port}/${index}/`, '<webhook>/')
      .replace(/127\.0\.0\.1:\d{4,5}->127\.0\.0\.1:\d{4,5}/g, '<connection>')
      .replace(/^gen-[a-z0-9]{5}$/, 'gen-<generated>')
      .replace(/kube-api-access-[a-z0-9]{5}/, 'kube-api-access-<generated>');
  }
  if (Array.isArray(value)) return value.map((item) => normalise(item, index, webhook));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, own] of Object.entries(value)) {
    if (own === undefined || left.has(key) || (key === 'creationTimestamp' && own === null)) continue;
    result[key] = key === 'resourceVersion' && own !== '7' ? '<version>' : key === 'token' ? '<token>' : normalise(own, index, webhook);
  }
  return result;
}
