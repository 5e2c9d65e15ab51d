import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { type Next, pick } from '../custom-resources/generate-schemas.ts';
import { type Comparison, compareRequest, inLanes, newComparison } from './comparison.ts';
import { generateClientConfig } from './generate-definitions.ts';
import type { TwoServers } from './two-servers.ts';

const groupPath = '/apis/admissionregistration.k8s.io/v1';

/** Creates generated webhook configurations as dry runs, most of them wrong in something: verdicts and defaults. */
export async function compareWebhooks(servers: TwoServers, count: number, seed: number): Promise<Comparison> {
  const comparison = newComparison();
  await inLanes(count, async (index) => {
    const { next } = createSeededRandom(seed * 200_003 + index);
    const kind = pick(next, ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']);
    const webhooks = Array.from({ length: pick(next, [0, 1, 1, 1, 2]) }, () => generateWebhook(next, kind.startsWith('Mutating')));
    const metadata = { name: pick(next, ['hooks', 'hooks', 'Hooks', 'a.b', '']) };
    const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata, webhooks };
    const validation = pick(next, ['', '&fieldValidation=Strict']);
    const path = `${groupPath}/${kind.toLowerCase()}s?dryRun=All${validation}`;
    await compareRequest(servers, comparison, { method: 'POST', path, body });
  });
  return comparison;
}

type Loose = Record<string, unknown>;

/** A webhook that is right but for up to three things. */
function generateWebhook(next: Next, mutates: boolean): Loose {
  const webhook: Loose = {
    name: pick(next, ['a.example.com', 'b.example.com']),
    clientConfig: pick(next, [{ url: 'https://a.example.com/x' }, { service: { name: 'a', namespace: 'b' } }]),
    rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const count = Math.floor(next() * 4);
  for (let each = 0; each < count; each++) pick(next, mutates ? [...changes, reinvocation] : changes)(webhook, next);
  return webhook;
}

const reinvocation = (webhook: Loose, next: Next) => {
  webhook['reinvocationPolicy'] = pick(next, ['Never', 'IfNeeded', '', 'Always', null]);
};

const selectors = [
  {},
  { matchLabels: { a: 'b' } },
  { matchLabels: { 'a b': 'c d' } },
  { matchExpressions: [{ key: 'a', operator: 'In', values: [] }] },
  { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
  { matchExpressions: [{ key: 'a', operator: 'Like', values: ['x'] }] },
  { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['x y'] }] },
  null,
];

/** Expressions of match conditions, a third of which do not compile or are no truth values. */
export const conditionExpressions = [
  'true',
  'object.metadata.name == "a"',
  'request.operation == "CREATE"',
  'has(object.spec) && object.spec.x == 1',
  'oldObject == null',
  'authorizer.group("").resource("pods").check("get").allowed()',
  'request.userInfo.groups.exists(g, g == "a")',
  '!(request.resource.group in ["a", "b"])',
  'namespaceObject == null',
  'params.x == 1',
  'variables.x == 1',
  '',
  ' ',
  '1',
  '"a"',
  'object.',
  'foo(1)',
  'request.nope == 1',
  'object.metadata.labels.all(k, k.startsWith("a"))',
  'object.spec.list.filter(x, x > 1).size() == 1',
];

const list = (next: Next, values: readonly string[]) => Array.from({ length: pick(next, [0, 1, 1, 2, 2]) }, () => pick(next, values));

const changes: readonly ((webhook: Loose, next: Next) => void)[] = [
  (webhook, next) => (webhook['name'] = pick(next, ['', 'a', 'a.b', 'A.example.com', 'a..b.c', `${'x'.repeat(254)}.a.b`, 'a.example.com'])),
  (webhook, next) => (webhook['clientConfig'] = generateClientConfig(next)),
  (webhook, next) => (webhook['failurePolicy'] = pick(next, ['Fail', 'Ignore', 'fail', '', null])),
  (webhook, next) => (webhook['matchPolicy'] = pick(next, ['Exact', 'Equivalent', 'exact', '', null])),
  (webhook, next) => (webhook['sideEffects'] = pick(next, ['None', 'NoneOnDryRun', 'Some', 'Unknown', '', null])),
  (webhook, next) => (webhook['timeoutSeconds'] = pick(next, [1, 30, 0, 31, -1, null, 1.5, '5'])),
  (webhook, next) => (webhook['admissionReviewVersions'] = list(next, ['v1', 'v1beta1', 'v2', '', 'V1', 'v1'])),
  (webhook, next) => (webhook['namespaceSelector'] = pick(next, selectors)),
  (webhook, next) => (webhook['objectSelector'] = pick(next, selectors)),
  (webhook, next) => (webhook['rules'] = Array.from({ length: pick(next, [0, 1, 2]) }, () => generateRule(next))),
  (webhook, next) => {
    webhook['matchConditions'] = Array.from({ length: pick(next, [1, 1, 2, 3, 65]) }, (_, index) => ({
      name: pick(next, ['a', 'b', 'a.b/c', '', 'a b', `n${index}`, `n${index}`]),
      expression: pick(next, conditionExpressions),
    }));
  },
  (webhook) => (webhook['unknown'] = 1),
  (webhook, next) => delete webhook[pick(next, ['name', 'clientConfig', 'rules', 'sideEffects', 'admissionReviewVersions'])],
];

/** A rule about requests, for webhooks and policies. */
export function generateRule(next: Next): Loose {
  const rule: Loose = {
    apiGroups: list(next, ['', 'apps', '*', 'a']),
    apiVersions: list(next, ['v1', '*', '', 'v1beta1']),
    resources: list(next, ['pods', '*', 'pods/*', '*/status', '*/*', 'pods/', '/status', '', 'a/b/c', 'deployments/scale']),
    operations: list(next, ['CREATE', 'UPDATE', 'DELETE', 'CONNECT', '*', 'create', '']),
  };
  if (next() < 0.4) rule['scope'] = pick(next, ['*', 'Cluster', 'Namespaced', 'namespaced', '', null]);
  if (next() < 0.15) delete rule[pick(next, ['apiGroups', 'apiVersions', 'resources', 'operations'])];
  return rule;
}
