import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { parseFieldSelector } from '../../../api/selectors/field-selector.ts';
import { parseLabelSelector } from '../../../api/selectors/parse-label-selector.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import { createMetricFamilies } from '../metric-families.ts';
import { createAuthorizationMetrics } from '../metrics/authorization-metrics.ts';
import { type PostOptions, type ReviewWebhook, WebhookError } from '../webhooks/review-webhook.ts';
import type { AuthorizationAttributes } from './authorizer.ts';
import type { WebhookSettings } from './configuration.ts';
import { compileMatchConditions, type ConditionWork, evaluateCondition } from './match-conditions.ts';
import { createWebhookAuthorizer } from './webhook-authorizer.ts';

const jane = { name: 'jane', groups: ['dev', 'system:authenticated'], uid: '7', extra: { b: ['2'], a: ['1', '0'] } };
const question: AuthorizationAttributes = {
  user: jane,
  verb: 'list',
  isResourceRequest: true,
  namespace: 'ns',
  apiGroup: '',
  apiVersion: 'v1',
  resource: 'pods',
  subresource: '',
  name: '',
  path: '/api/v1/namespaces/ns/pods',
};
const allowed = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', status: { allowed: true, reason: 'by me' } };
const undecided = { status: { allowed: false, reason: 'who knows' } };

interface Posted {
  readonly spec: Record<string, unknown>;
  readonly apiVersion: string;
}

function start(
  answers: (review: Posted, options: PostOptions) => unknown,
  settings: Partial<WebhookSettings> = {},
  conditions: string[] = [],
  conditionWork?: ConditionWork,
) {
  const clock = createManualClock();
  const families = createMetricFamilies();
  const posted: Posted[] = [];
  const webhook: ReviewWebhook = {
    async post(review, options) {
      posted.push(review as Posted);
      return await answers(review as Posted, options);
    },
  };
  const compiled = compileMatchConditions(conditions, FieldPath.root);
  assert.deepEqual(compiled.errors, []);
  const authorizer = createWebhookAuthorizer({
    name: 'w',
    settings: {
      ...{ authorizedTTLMs: 300_000, unauthorizedTTLMs: 30_000, timeoutMs: 3000, reviewVersion: 'v1', failurePolicy: 'Deny' },
      ...{ kubeConfigFile: '/w', matchConditions: compiled.conditions },
      ...settings,
    },
    webhook,
    ...{ clock, random: createSeededRandom(1), logger: silentLogger, metrics: createAuthorizationMetrics(families).ofWebhook('w') },
    conditionWork,
  });
  const metric = async (name: string): Promise<string[]> => {
    let text = '';
    for await (const part of families.texts()) text += part;
    return text.split('\n').filter((line) => line.startsWith(`apiserver_authorization_${name}{`));
  };
  return { authorizer, clock, posted, metric };
}

describe('webhook authorizer', () => {
  it('has conditions that take long evaluated elsewhere, with the same outcome', async () => {
    const groups = Array.from({ length: 30 }, (_, index) => `group-${index}`);
    const costly = (last: string) => `request.groups.all(a, request.groups.all(b, request.groups.all(c, a != b + c))) && ${last}`;
    const asked = { ...question, user: { name: 'jane', groups } };
    const elsewhere: string[] = [];
    const work: ConditionWork = {
      async evaluate(expression, request, { user }) {
        elsewhere.push(user.name);
        // As it travels to another thread.
        return structuredClone(evaluateCondition(expression, structuredClone(request)));
      },
    };
    for (const [last, decision] of [
      ['true', 'Allow'],
      ['false', 'NoOpinion'],
      ["request.groups.exists(a, a == 'group-1')", 'Allow'],
    ] as const) {
      const here = await start(() => allowed, {}, [costly(last)]).authorizer.authorize(asked);
      assert.deepEqual(await start(() => allowed, {}, ['true', costly(last)], work).authorizer.authorize(asked), here);
      assert.equal(here.decision, decision);
    }
    assert.deepEqual(elsewhere, ['jane', 'jane', 'jane']);
    const tooMuch = 'request.groups.all(d, request.groups.all(a, request.groups.all(b, request.groups.all(c, a != b + c + d))))';
    const { decision, error } = await start(() => allowed, {}, [tooMuch], work).authorizer.authorize(asked);
    assert.equal(decision, 'Deny');
    assert.match(error ?? '', /actual cost limit exceeded/);
    const busy: ConditionWork = { evaluate: () => Promise.reject(new Error('too much')) };
    assert.deepEqual(await start(() => allowed, {}, [costly('true')], busy).authorizer.authorize(asked), {
      ...{ decision: 'Deny', reason: '', error: 'too much' },
    });
  });

  it('asks with the whole question, and takes the answer', async () => {
    const { authorizer, posted } = start(() => allowed);
    const asked = { ...question, fields: parseFieldSelector('spec.nodeName=a,status.phase!=Running') };
    const labels = () => parseLabelSelector('a=b,c in (x,y),!d,e,f notin (z),g!=h,i>5').requirements;
    assert.deepEqual(await authorizer.authorize({ ...asked, labels }), { decision: 'Allow', reason: 'by me' });
    assert.deepEqual(posted, [
      {
        kind: 'SubjectAccessReview',
        apiVersion: 'authorization.k8s.io/v1',
        metadata: {},
        spec: {
          resourceAttributes: {
            ...{ namespace: 'ns', verb: 'list', version: 'v1', resource: 'pods' },
            fieldSelector: {
              requirements: [
                { key: 'spec.nodeName', operator: 'In', values: ['a'] },
                { key: 'status.phase', operator: 'NotIn', values: ['Running'] },
              ],
            },
            labelSelector: {
              requirements: [
                { key: 'a', operator: 'In', values: ['b'] },
                { key: 'c', operator: 'In', values: ['x', 'y'] },
                { key: 'd', operator: 'DoesNotExist' },
                { key: 'e', operator: 'Exists' },
                { key: 'f', operator: 'NotIn', values: ['z'] },
                { key: 'g', operator: 'NotIn', values: ['h'] },
              ],
            },
          },
          user: 'jane',
          groups: ['dev', 'system:authenticated'],
          extra: { a: ['1', '0'], b: ['2'] },
          uid: '7',
        },
        status: { allowed: false },
      },
    ]);
  });

  it('calls groups group in v1beta1', async () => {
    const { authorizer, posted } = start(() => undecided, { reviewVersion: 'v1beta1' });
    const asked = { ...question, isResourceRequest: false, path: '/metrics', verb: 'get', user: { name: 'u', groups: ['g'] } };
    assert.deepEqual(await authorizer.authorize(asked), { decision: 'NoOpinion', reason: 'who knows' });
    assert.equal(posted[0]?.apiVersion, 'authorization.k8s.io/v1beta1');
    assert.deepEqual(posted[0]?.spec, { nonResourceAttributes: { path: '/metrics', verb: 'get' }, user: 'u', group: ['g'] });
  });

  const answers: [unknown, object][] = [
    [{ status: { allowed: false, denied: true, reason: 'no' } }, { decision: 'Deny', reason: 'no' }],
    [{ status: {} }, { decision: 'NoOpinion', reason: '' }],
    [{}, { decision: 'NoOpinion', reason: '' }],
    [
      { status: { allowed: true, denied: true } },
      { decision: 'Deny', reason: '', error: 'webhook subject access review returned both allow and deny response' },
    ],
    [
      { kind: 'Status', apiVersion: 'v1' },
      {
        decision: 'Deny',
        reason: '',
        error: 'converting (v1.Status) to (v1.SubjectAccessReview): unknown conversion',
      },
    ],
    [
      'x',
      {
        ...{ decision: 'Deny', reason: '' },
        error: `couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
      },
    ],
    [
      { status: { allowed: 'true' } },
      {
        decision: 'Deny',
        reason: '',
        error: 'json: cannot unmarshal string into Go struct field SubjectAccessReviewStatus.status.allowed of type bool',
      },
    ],
  ];
  for (const [answer, decision] of answers) {
    it(`decides by ${JSON.stringify(answer)}`, async () => {
      assert.deepEqual(await start(() => answer).authorizer.authorize(question), decision);
    });
  }

  it('keeps answers as long as the configuration says, each kind for its time', async () => {
    let answer: unknown = allowed;
    const { authorizer, clock, posted } = start(() => answer);
    await authorizer.authorize(question);
    await clock.advance(299_000);
    await authorizer.authorize(question);
    assert.equal(posted.length, 1);
    await clock.advance(2000);
    answer = undecided;
    assert.equal((await authorizer.authorize(question)).decision, 'NoOpinion');
    await clock.advance(29_000);
    await authorizer.authorize(question);
    assert.equal(posted.length, 2);
    await clock.advance(2000);
    await authorizer.authorize(question);
    assert.equal(posted.length, 3);
  });

  it('keeps no answer that is not to be kept, or is too large', async () => {
    const uncached = start(() => allowed, { authorizedTTLMs: 0 });
    const longName = start(() => allowed);
    const longReason = start(() => ({ status: { allowed: true, reason: 'x'.repeat(10_000) } }));
    const longSelector = start(() => allowed);
    const labels = () => parseLabelSelector(`a in (${Array.from({ length: 1000 }, (_, i) => `value-${i}`).join()})`).requirements;
    for (let turn = 0; turn < 2; turn++) {
      await uncached.authorizer.authorize(question);
      await longName.authorizer.authorize({ ...question, name: 'x'.repeat(10_000) });
      await longReason.authorizer.authorize(question);
      await longSelector.authorizer.authorize({ ...question, labels });
    }
    for (const { posted } of [uncached, longName, longReason, longSelector]) assert.equal(posted.length, 2);
  });

  it('keeps answers of different questions apart, and no more than 8192 of them', async () => {
    const { authorizer, posted } = start(({ spec }) => ({ status: { allowed: spec['user'] === 'jane' } }));
    const variants: AuthorizationAttributes[] = [
      question,
      { ...question, user: { ...jane, name: 'joe' } },
      { ...question, user: { ...jane, groups: ['dev,system:authenticated'] } },
      { ...question, user: { ...jane, uid: '8' } },
      { ...question, name: 'a' },
      { ...question, subresource: 'log' },
      { ...question, fields: parseFieldSelector('metadata.name=a') },
      { ...question, labels: () => parseLabelSelector('a').requirements },
    ];
    const first = [];
    for (const variant of variants) first.push((await authorizer.authorize(variant)).decision);
    assert.equal(posted.length, variants.length);
    const again = [];
    for (const variant of variants) again.push((await authorizer.authorize(variant)).decision);
    assert.deepEqual(again, first);
    assert.equal(posted.length, variants.length);
    for (let at = 0; at < 8192; at++) await authorizer.authorize({ ...question, name: `n${at}` });
    await authorizer.authorize(question);
    assert.equal(posted.length, variants.length + 8192 + 1);
  });

  it('asks again where a failure may pass, five times in all', async () => {
    let failures = 2;
    const { authorizer, clock, posted, metric } = start(() => {
      if (failures-- > 0) throw new WebhookError('busy', { statusCode: 500, isRetriable: true });
      return allowed;
    });
    const answer = Promise.resolve(authorizer.authorize(question));
    await clock.advance(60_000);
    assert.equal((await answer).decision, 'Allow');
    assert.equal(posted.length, 3);
    failures = 10;
    const refused = Promise.resolve(authorizer.authorize({ ...question, name: 'a' }));
    await clock.advance(60_000);
    assert.deepEqual(await refused, { decision: 'Deny', reason: '', error: 'busy' });
    assert.equal(posted.length, 8);
    assert.deepEqual(await metric('webhook_evaluations_total'), [
      'apiserver_authorization_webhook_evaluations_total{name="w",result="error"} 7',
      'apiserver_authorization_webhook_evaluations_total{name="w",result="success"} 1',
    ]);
    assert.deepEqual(await metric('webhook_evaluations_fail_open_total'), []);
  });

  it('has no opinion where the webhook fails and the policy says so, and counts that', async () => {
    const { authorizer, metric } = start(
      () => {
        throw new WebhookError('too slow', { isTimeout: true });
      },
      { failurePolicy: 'NoOpinion' },
    );
    assert.deepEqual(await authorizer.authorize(question), { decision: 'NoOpinion', reason: '', error: 'too slow' });
    assert.deepEqual(await metric('webhook_evaluations_fail_open_total'), [
      'apiserver_authorization_webhook_evaluations_fail_open_total{name="w",result="timeout"} 1',
    ]);
  });

  it('counts neither a failure nor a timeout where nobody waits any more', async () => {
    const gone = new AbortController();
    const { authorizer, metric } = start(
      (_review, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new WebhookError('context canceled')));
        }),
      { failurePolicy: 'NoOpinion' },
    );
    const answer = authorizer.authorize(question, gone.signal);
    await new Promise(setImmediate);
    gone.abort();
    assert.equal((await answer).error, 'context canceled');
    assert.deepEqual(await metric('webhook_evaluations_total'), [
      'apiserver_authorization_webhook_evaluations_total{name="w",result="canceled"} 1',
    ]);
    assert.deepEqual(await metric('webhook_evaluations_fail_open_total'), []);
  });

  it('lets a webhook that hangs collect a thousand questions and no more', async () => {
    const { authorizer } = start(() => new Promise(() => {}));
    for (let at = 0; at < 1000; at++) void authorizer.authorize({ ...question, name: `n${at}` });
    await new Promise(setImmediate);
    assert.equal((await authorizer.authorize(question)).error, 'more than 1000 requests wait for the webhook');
  });
});

describe('match conditions', () => {
  const cases: [name: string, conditions: string[], asked: Partial<AuthorizationAttributes>, expected: 'asked' | 'skipped' | RegExp][] = [
    ['all true', ["request.user == 'jane'", "'dev' in request.groups"], {}, 'asked'],
    ['one false', ["request.user == 'jane'", "'ops' in request.groups"], {}, 'skipped'],
    ['a field that is empty', ["request.resourceAttributes.name == '' && request.resourceAttributes.group == ''"], {}, 'asked'],
    ['uid and extra', ["request.uid == '7' && request.extra['a'] == ['1', '0'] && !('c' in request.extra)"], {}, 'asked'],
    ['a user without any', ["request.uid == '' && size(request.extra) == 0"], { user: { name: 'u', groups: [] } }, 'asked'],
    ['of a resource', ['has(request.resourceAttributes) && !has(request.nonResourceAttributes)'], {}, 'asked'],
    [
      'of a path',
      ["has(request.nonResourceAttributes) && request.nonResourceAttributes.path == '/x'"],
      { isResourceRequest: false, path: '/x' },
      'asked',
    ],
    ['no selector', ['!has(request.resourceAttributes.fieldSelector)'], {}, 'asked'],
    [
      'a selector',
      ["request.resourceAttributes.fieldSelector.requirements.exists(r, r.key == 'spec.nodeName' && r.values == ['a'])"],
      { fields: parseFieldSelector('spec.nodeName=a') },
      'asked',
    ],
    [
      'an error',
      ["request.nonResourceAttributes.path == '/x'"],
      {},
      /^cel evaluation error: expression 'request\.nonResourceAttributes\.path == '\/x'' resulted in error: no such key: nonResourceAttributes$/,
    ],
    ['an error before a false one', ["request.nonResourceAttributes.path == '/x'", 'false'], {}, 'skipped'],
    [
      'two errors',
      ["request.extra['x'] == ['a']", "request.extra['y'] == ['a']"],
      {},
      /^\[cel evaluation error: .*, cel evaluation error: .*\]$/,
    ],
    [
      'too costly',
      ['request.groups.all(a, request.groups.all(b, request.groups.all(c, request.groups.all(d, (a + b + c + d).matches("a*")))))'],
      { user: { name: 'u', groups: Array.from({ length: 100 }, (_, at) => `g${at}`) } },
      /operation cancelled: actual cost limit exceeded$/,
    ],
  ];
  for (const [name, conditions, asked, expected] of cases) {
    it(`${name}: ${String(expected)}`, async () => {
      const { authorizer, posted, metric } = start(() => allowed, {}, conditions);
      const { decision, error } = await authorizer.authorize({ ...question, ...asked });
      if (expected === 'asked') assert.deepEqual([decision, posted.length], ['Allow', 1]);
      else if (expected === 'skipped') assert.deepEqual([decision, error, posted.length], ['NoOpinion', undefined, 0]);
      else {
        assert.match(error ?? '', expected);
        assert.deepEqual([decision, posted.length], ['Deny', 0]);
        assert.equal((await metric('match_condition_evaluation_errors_total')).length, 1);
      }
      assert.equal((await metric('match_condition_exclusions_total')).length, expected === 'skipped' ? 1 : 0);
    });
  }
});
