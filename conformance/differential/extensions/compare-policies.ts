import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { type Next, pick } from '../custom-resources/generate-schemas.ts';
import { type Comparison, compareRequest, newComparison } from './comparison.ts';
import { conditionExpressions, generateRule } from './compare-webhooks.ts';
import type { TwoServers } from './two-servers.ts';

const groupPath = '/apis/admissionregistration.k8s.io';
type Loose = Record<string, unknown>;

/**
 * Creates generated policies as dry runs: the verdict on their definitions, with the causes and defaults. Two thirds are
 * ValidatingAdmissionPolicies of v1, the others MutatingAdmissionPolicies, which v1.32 has in v1alpha1 only.
 */
export async function comparePolicies(servers: TwoServers, count: number, seed: number): Promise<Comparison> {
  const comparison = newComparison();
  for (const [index, { facts }] of servers.sides.entries()) facts.set('mutating', index === 0 ? 'v1alpha1' : 'v1');
  for (let index = 0; index < count; index++) {
    const { next } = createSeededRandom(seed * 300_007 + index);
    const isMutating = index % 3 === 0;
    const [version, kind] = isMutating ? ['{{mutating}}', 'MutatingAdmissionPolicy'] : ['v1', 'ValidatingAdmissionPolicy'];
    const metadata = { name: pick(next, ['policy', 'policy', 'a.b', 'Policy']) };
    const body = { apiVersion: `admissionregistration.k8s.io/${version}`, kind, metadata, spec: generateSpec(next, isMutating) };
    const plural = kind === 'MutatingAdmissionPolicy' ? 'mutatingadmissionpolicies' : 'validatingadmissionpolicies';
    await compareRequest(servers, comparison, { method: 'POST', path: `${groupPath}/${version}/${plural}?dryRun=All`, body });
  }
  return comparison;
}

function generateSpec(next: Next, isMutating: boolean): Loose {
  const spec: Loose = {
    matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }] },
  };
  if (isMutating) Object.assign(spec, { reinvocationPolicy: 'Never', mutations: [generateMutation(next)] });
  else spec['validations'] = [{ expression: pick(next, expressions) }];
  const count = Math.floor(next() * 4);
  for (let each = 0; each < count; each++) pick(next, isMutating ? mutationChanges : validationChanges)(spec, next);
  return spec;
}

const expressions = [
  ...conditionExpressions,
  'object.spec.replicas <= params.max',
  'object.metadata.labels["a"] == "b"',
  'variables.a > 1',
  'variables.a.b == "c"',
  'object.spec.containers.all(c, c.image.startsWith("a"))',
  'quantity(object.spec.x).isGreaterThan(quantity("1"))',
  '[1, 2, 3].all(x, [1, 2, 3].all(y, [1, 2, 3].all(z, x + y + z > 0)))',
  'object.spec.a.map(x, object.spec.b.map(y, object.spec.c.map(z, x + y + z))).size() > 1',
  'url(object.spec.u).getHost() == "a"',
  'ip(object.spec.i).family() == 4',
  'isCIDR("10.0.0.0/8")',
  'optional.none().hasValue()',
  'object.?spec.?x.orValue(1) == 1',
];
const texts = [
  '"a"',
  '"a" + object.metadata.name',
  'object.metadata.name',
  '1',
  '',
  '"x" +',
  'string(object.spec.replicas)',
  'variables.a',
  'true',
  '["a"]',
];

const named = (next: Next, expressionsOf: readonly string[]) =>
  Array.from({ length: pick(next, [1, 1, 2, 3]) }, (_, index) => ({
    name: pick(next, ['a', 'b', '', 'a b', 'A', '1a', 'a.b', `n${index}`, `n${index}`]),
    expression: pick(next, expressionsOf),
  }));

type Change = (spec: Loose, next: Next) => void;

const changes: readonly Change[] = [
  (spec, next) => (spec['failurePolicy'] = pick(next, ['Fail', 'Ignore', 'x', '', null])),
  (spec, next) => (spec['matchConditions'] = named(next, conditionExpressions)),
  (spec, next) => (spec['variables'] = named(next, [...texts, 'object.spec', '{"b": "c"}', 'variables.b', '1 + 1'])),
  (spec, next) =>
    (spec['paramKind'] = pick(next, [
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { apiVersion: '', kind: '' },
      { apiVersion: 'a/b/c', kind: 'X' },
      { apiVersion: 'a/v1', kind: 'x y' },
      { kind: 'ConfigMap' },
      {},
    ])),
  (spec, next) =>
    (spec['matchConstraints'] = pick(next, [
      null,
      {},
      { resourceRules: [] },
      { resourceRules: [generateRule(next)] },
      {
        resourceRules: [{ ...generateRule(next), resourceNames: [pick(next, ['a', '', 'a', 'x y'])] }],
        matchPolicy: pick(next, ['Exact', 'x', 'Equivalent']),
      },
      {
        resourceRules: [generateRule(next)],
        excludeResourceRules: [generateRule(next)],
        namespaceSelector: { matchLabels: { a: 'b' } },
        objectSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] },
      },
    ])),
];

const validationChanges: readonly Change[] = [
  ...changes,
  (spec, next) => {
    spec['validations'] = Array.from({ length: pick(next, [0, 1, 2]) }, () => ({
      expression: pick(next, expressions),
      ...(next() < 0.4 ? { message: pick(next, ['m', '', ' ', 'a\nb', '\n', 'x'.repeat(300)]) } : {}),
      ...(next() < 0.4 ? { messageExpression: pick(next, texts) } : {}),
      ...(next() < 0.4 ? { reason: pick(next, ['Invalid', 'Forbidden', 'Unauthorized', 'RequestEntityTooLarge', 'NotFound', '']) } : {}),
    }));
  },
  (spec, next) => {
    spec['auditAnnotations'] = Array.from({ length: pick(next, [1, 2, 21]) }, (_, index) => ({
      key: pick(next, ['a', 'a/b', '', 'a b', `k${index}`, 'x'.repeat(64)]),
      valueExpression: pick(next, [...texts, 'null', 'object.metadata.?name.orValue("x")']),
    }));
  },
  (spec, next) => delete spec[pick(next, ['validations', 'matchConstraints'])],
];

const applyExpressions = [
  'Object{spec: Object.spec{replicas: 3}}',
  'Object{metadata: Object.metadata{labels: {"a": "b"}}}',
  'Object{}',
  'Object{spec: 1}',
  '{"a": 1}',
  'object',
  'Object{',
  'Object{spec: Object.nope{a: 1}}',
  '',
];
const patchExpressions = [
  '[JSONPatch{op: "add", path: "/metadata/labels/a", value: "b"}]',
  '[JSONPatch{op: "remove", path: "/spec/x"}]',
  '[]',
  '[JSONPatch{op: "add", path: "/a/" + jsonpatch.escapeKey("a/b"), value: Object.spec{a: 1}}]',
  '[{"op": "add"}]',
  'JSONPatch{op: "add"}',
  '[JSONPatch{nope: 1}]',
  '[JSONPatch{op: 1}]',
  '',
];

function generateMutation(next: Next): Loose {
  const mutation: Loose =
    next() < 0.5
      ? { patchType: 'ApplyConfiguration', applyConfiguration: { expression: pick(next, applyExpressions) } }
      : { patchType: 'JSONPatch', jsonPatch: { expression: pick(next, patchExpressions) } };
  if (next() < 0.1) mutation['patchType'] = pick(next, ['', 'x', 'JSONPatch', 'ApplyConfiguration']);
  if (next() < 0.05) delete mutation['jsonPatch'];
  return mutation;
}

const mutationChanges: readonly Change[] = [
  ...changes,
  (spec, next) => (spec['mutations'] = Array.from({ length: pick(next, [0, 1, 2, 3]) }, () => generateMutation(next))),
  (spec, next) => (spec['reinvocationPolicy'] = pick(next, ['IfNeeded', 'Never', '', 'x', null])),
  (spec, next) => delete spec[pick(next, ['mutations', 'reinvocationPolicy', 'matchConstraints'])],
];
