import assert from 'node:assert/strict';
import { compileCEL } from '../compile-cel.ts';
import { perCallCostLimit } from '../cost/runtime-costs.ts';
import { createKubernetesEnvironment } from '../kubernetes-environment.ts';
import {
  type AuthorizationAnswer,
  type AuthorizationQuestion,
  authorizerLibrary,
  authorizerType,
  authorizerValue,
  evaluateWithAnswers,
} from './authorizer.ts';

const environment = createKubernetesEnvironment({ authorizer: authorizerType }, { libraries: [authorizerLibrary] });

async function evaluate(expression: string, answer: (question: AuthorizationQuestion) => AuthorizationAnswer) {
  const compiled = compileCEL(expression, environment);
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.message);
  const asked: AuthorizationQuestion[] = [];
  const result = await evaluateWithAnswers(
    (find) => compiled.program.evaluate({ authorizer: authorizerValue(find) }, { costLimit: perCallCostLimit }),
    async (question) => {
      asked.push(question);
      return answer(question);
    },
  );
  return { asked, cost: result.cost, value: result.ok ? result.value : undefined, error: result.ok ? '' : result.error };
}

const allow = (): AuthorizationAnswer => ({ isAllowed: true, reason: 'yes' });
const empty = { group: '', resource: '', subresource: '', namespace: '', name: '' };

describe('CEL authorizer', () => {
  const cases: [expression: string, value: unknown, asked: AuthorizationQuestion[]][] = [
    [`authorizer.path('/healthz').check('get').allowed()`, true, [{ ...empty, path: '/healthz', verb: 'get' }]],
    [
      `authorizer.group('apps').resource('deployments').subresource('status').namespace('n').name('d').check('update').reason()`,
      'yes',
      [{ group: 'apps', resource: 'deployments', subresource: 'status', namespace: 'n', name: 'd', verb: 'update' }],
    ],
    [
      `authorizer.serviceAccount('n', 'sa').group('').resource('pods').fieldSelector('spec.nodeName=a').labelSelector('x').check('list').errored()`,
      false,
      [
        {
          ...{ ...empty, resource: 'pods', verb: 'list', fieldSelector: 'spec.nodeName=a', labelSelector: 'x' },
          serviceAccount: { namespace: 'n', name: 'sa' },
        },
      ],
    ],
  ];
  for (const [expression, value, asked] of cases) {
    it(expression, async () => {
      const result = await evaluate(expression, allow);
      assert.deepEqual([result.value, result.asked], [value, asked]);
    });
  }

  it('tells failures of authorizers apart from refusals', async () => {
    const failing = () => ({ isAllowed: false, reason: '', error: 'webhook down' });
    const check = `authorizer.group('').resource('pods').check('get')`;
    assert.equal((await evaluate(`${check}.errored() && ${check}.error() == 'webhook down'`, failing)).value, true);
    assert.equal((await evaluate(`${check}.allowed()`, failing)).value, false);
  });

  it('asks a question once, and no question that does not matter', async () => {
    const check = `authorizer.group('').resource('pods').check('get').allowed()`;
    const other = `authorizer.path('/x').check('get').allowed()`;
    assert.equal((await evaluate(`${check} && ${check}`, allow)).asked.length, 1);
    assert.equal((await evaluate(`${check} || ${other}`, allow)).asked.length, 1);
    const refuse = () => ({ isAllowed: false, reason: '' });
    assert.equal((await evaluate(`${check} || ${other}`, refuse)).asked.length, 2);
  });

  it('is as dear as upstream has it: two checks are within the limit of one call, a third is not', async () => {
    const check = (path: string) => `authorizer.path('${path}').check('get').allowed()`;
    const two = await evaluate(`${check('/a')} && ${check('/b')}`, allow);
    assert.ok(two.cost > 700_000 && two.cost < 701_000, String(two.cost));
    const three = await evaluate(`${check('/a')} && ${check('/b')} && ${check('/c')}`, allow);
    assert.equal(three.error, 'operation cancelled: actual cost limit exceeded');
  });

  it('refuses names that no service account has', async () => {
    const check = (namespace: string, name: string) =>
      `authorizer.serviceAccount('${namespace}', '${name}').path('/x').check('get').allowed()`;
    assert.equal((await evaluate(check('n', 'a.b'), allow)).value, true);
    assert.equal((await evaluate(check('n', 'A'), allow)).error, 'Invalid service account name');
    assert.equal((await evaluate(check('a.b', 'a'), allow)).error, 'Invalid service account namespace');
  });

  it('refuses an empty path, and questions in the wrong order', async () => {
    assert.equal((await evaluate(`authorizer.path('').check('get').allowed()`, allow)).error, 'path must not be empty');
    assert.equal(compileCEL(`authorizer.resource('pods')`, environment).ok, false);
    assert.equal(compileCEL(`authorizer.path('/x').namespace('n')`, environment).ok, false);
  });
});
