import assert from 'node:assert/strict';
import type { MutatingAdmissionPolicySpec, ValidatingAdmissionPolicySpec } from '../../types/admissionregistration-v1.ts';
import { AnswerMissing } from '../../cel/libraries/authorizer.ts';
import { compileMutatingPolicy, compileValidatingPolicy } from './compile-policy.ts';
import { type AdmissionInput, keyOfQuestion, SliceSpent } from './evaluate-expression.ts';
import { evaluateValidatingPolicy } from './evaluate-policy.ts';

const pods = { group: '', resource: 'pods', version: 'v1' };
const input: AdmissionInput = {
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { app: 'a' } }, spec: { replicas: 3 } },
  oldObject: null,
  params: null,
  namespaceObject: { metadata: { name: 'default', labels: { team: 'blue' } } },
  request: { name: 'web', namespace: 'default', operation: 'CREATE', requestResource: pods, userInfo: { username: 'jane' } },
  answers: new Map(),
};
const unlimited = { slice: { left: Number.POSITIVE_INFINITY }, nowMs: () => 0 };

function evaluate(spec: Partial<ValidatingAdmissionPolicySpec>, more: Partial<AdmissionInput> = {}, options = unlimited) {
  return evaluateValidatingPolicy(compileValidatingPolicy(spec), { ...input, ...more }, options);
}

/** Each decision as `action: message`, each annotation as `key=value`. */
function verdict(spec: Partial<ValidatingAdmissionPolicySpec>, more: Partial<AdmissionInput> = {}): string[] {
  const { decisions, annotations } = evaluate(spec, more);
  return [
    ...decisions.map(({ action, evaluation, message }) => `${action}${evaluation === 'error' ? ' (error)' : ''}: ${message}`),
    ...annotations.map((one) => (one.kind === 'value' ? `${one.key}=${one.value}` : `error: ${one.error}`)),
  ];
}

const validations = (...expressions: readonly string[]) => expressions.map((expression) => ({ expression }));
const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run';
/** Costs somewhat less than the limit of one expression. */
const costly =
  '[1,2,3,4].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, a + b + c + d + e > 0)))))';

describe('policies', () => {
  const cases: [string, Partial<ValidatingAdmissionPolicySpec>, string[]][] = [
    ['that hold admit', { validations: validations('object.spec.replicas == 3') }, ['admit: ']],
    [
      'that fail show their expression',
      { validations: validations(' object.spec.replicas < 3 ') },
      ['deny: failed expression: object.spec.replicas < 3'],
    ],
    ['that fail show their message', { validations: [{ expression: 'false', message: ' no ' }] }, ['deny: no']],
    [
      'prefer an evaluated message',
      { validations: [{ expression: 'false', message: 'no', messageExpression: "'not ' + object.metadata.name" }] },
      ['deny: not web'],
    ],
    ...["'a\\nb'", "' '", "'x'.repeat(2) + object.nothing"].map(
      (messageExpression): [string, Partial<ValidatingAdmissionPolicySpec>, string[]] => [
        `fall back from ${messageExpression}`,
        { validations: [{ expression: 'false', message: 'no', messageExpression }] },
        ['deny: no'],
      ],
    ),
    [
      'that cannot be evaluated deny',
      { validations: validations('object.spec.none == 1') },
      ["deny (error): expression 'object.spec.none == 1' resulted in error: no such key: none"],
    ],
    [
      'may ignore what cannot be evaluated',
      { failurePolicy: 'Ignore', validations: validations('object.spec.none == 1') },
      ["admit (error): expression 'object.spec.none == 1' resulted in error: no such key: none"],
    ],
    ['do not ignore what is false', { failurePolicy: 'Ignore', validations: validations('false') }, ['deny: failed expression: false']],
    [
      'read variables',
      {
        variables: [
          { name: 'a', expression: 'object.spec.replicas' },
          { name: 'b', expression: 'variables.a * 2' },
        ],
        validations: validations('variables.b == 6'),
      },
      ['admit: '],
    ],
    [
      'evaluate only the variables that are read',
      { variables: [{ name: 'a', expression: 'object.nothing' }], validations: validations('true || variables.a') },
      ['admit: '],
    ],
    [
      'show which variable fails',
      { variables: [{ name: 'a', expression: 'object.nothing' }], validations: validations('variables.a == 1') },
      ['deny (error): expression \'variables.a == 1\' resulted in error: composited variable "a" fails to evaluate: no such key: nothing'],
    ],
    [
      'see the request and the namespace',
      {
        validations: validations(
          "request.userInfo.username == 'jane' && namespaceObject.metadata.labels.team == 'blue' && oldObject == null && request.operation == 'CREATE'",
        ),
      },
      ['admit: '],
    ],
    [
      'are skipped by a condition that is false',
      {
        matchConditions: [
          { name: 'x', expression: 'object.nothing' },
          { name: 'y', expression: 'false' },
        ],
        validations: validations('false'),
      },
      [],
    ],
    [
      'fail with a condition',
      { matchConditions: [{ name: 'x', expression: 'object.nothing == 1' }], validations: validations('false') },
      ["deny (error): expression 'object.nothing == 1' resulted in error: no such key: nothing"],
    ],
    [
      'ignore a condition that fails',
      { failurePolicy: 'Ignore', matchConditions: [{ name: 'x', expression: 'object.nothing == 1' }], validations: validations('false') },
      [],
    ],
    [
      'annotate',
      {
        auditAnnotations: [
          { key: 'a', valueExpression: "' v '" },
          { key: 'b', valueExpression: 'null' },
          { key: 'c', valueExpression: "''" },
          { key: 'd', valueExpression: 'string(object.nothing)' },
        ],
      },
      ['a=v', "error: expression 'string(object.nothing)' resulted in error: no such key: nothing"],
    ],
    [
      'that do not compile deny',
      { validations: validations('object.') },
      [
        "deny (error): compilation error: compilation failed: ERROR: <input>:1:8: Syntax error: no viable alternative at input '.'\n | object.\n | .......^",
      ],
    ],
  ];
  for (const [name, spec, expected] of cases) it(name, () => assert.deepEqual(verdict(spec), expected));

  it('have a limit for one expression and a budget for all', () => {
    const all = '[1,2,3,4,5,6,7,8,9,10]';
    const tooCostly = `${all}.all(f, ${costly})`;
    assert.deepEqual(verdict({ validations: validations(tooCostly) }), [
      `deny (error): expression '${tooCostly}' resulted in error: operation cancelled: actual cost limit exceeded`,
    ]);
    assert.deepEqual(verdict({ validations: validations(...Array.from({ length: 30 }, () => costly)) }), [`deny (error): ${outOfBudget}`]);
    const variables = [{ name: 'a', expression: costly }];
    const reads = Array.from({ length: 30 }, () => 'variables.a');
    assert.deepEqual(new Set(verdict({ variables, validations: validations(...reads) })), new Set(['admit: ']));
  }).timeout(20_000);

  it('stop where their slice of time is spent', () => {
    const slice = {
      nowMs: () => 0,
      get slice() {
        return { left: 1000 };
      },
    };
    assert.throws(() => evaluate({ validations: validations(costly) }, {}, slice), SliceSpent);
    assert.throws(
      () => evaluate({ variables: [{ name: 'a', expression: costly }], validations: validations('variables.a') }, {}, slice),
      SliceSpent,
    );
    assert.throws(() => evaluate({ matchConditions: [{ name: 'a', expression: costly }] }, {}, slice), SliceSpent);
    assert.throws(
      () => evaluate({ validations: validations(...Array.from({ length: 1000 }, () => 'object.spec.replicas == 3')) }, {}, slice),
      SliceSpent,
    );
  });

  it('ask the authorizer', () => {
    const spec = { validations: validations("authorizer.requestResource.check('get').allowed()") };
    let asked: AnswerMissing | undefined;
    assert.throws(
      () => evaluate(spec),
      (error) => error instanceof AnswerMissing && (asked = error) !== undefined,
    );
    const { verb, resource, name } = asked?.question ?? {};
    assert.deepEqual({ verb, resource, name }, { verb: 'get', resource: 'pods', name: 'web' });
    const answers = new Map(asked ? [[keyOfQuestion(asked.question), { isAllowed: true, reason: '' }]] : []);
    assert.deepEqual(verdict(spec, { answers }), ['admit: ']);
  });
});

describe('mutating policies', () => {
  const compile = (mutation: object) => {
    const spec = { mutations: [mutation] } as Partial<MutatingAdmissionPolicySpec>;
    const [first] = compileMutatingPolicy(spec).mutations;
    return first?.expression.ok === true ? 'compiles' : first?.expression.error;
  };
  const apply = (expression: string) => compile({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
  const patch = (expression: string) => compile({ patchType: 'JSONPatch', jsonPatch: { expression } });
  it('make objects of any fields', () => {
    assert.equal(apply('Object{spec: Object.spec{replicas: object.spec.replicas + 1, other: "x"}}'), 'compiles');
    assert.equal(apply('Object.spec{}'), 'must evaluate to Object but got Object.spec');
    assert.match(String(apply('Other{}')), /undeclared reference to 'Other'/);
  });
  it('make JSON patches', () => {
    assert.equal(
      patch('[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b"), value: Object.metadata{}}]'),
      'compiles',
    );
    assert.match(String(patch('[JSONPatch{op: 1}]')), /expected type of field 'op' is 'string' but provided type is 'int'/);
    assert.match(String(patch('[JSONPatch{what: "x"}]')), /undefined field 'what'/);
    assert.equal(patch('[1]'), 'must evaluate to list(JSONPatch) but got list(int)');
  });
});
