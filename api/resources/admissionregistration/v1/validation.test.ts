import assert from 'node:assert/strict';
import { createErrors } from '../../testing/strategy.ts';
import { validatingAdmissionPolicies } from './validating-admission-policy.ts';
import { validatingAdmissionPolicyBindings } from './validating-admission-policy-binding.ts';
import { validatingWebhookConfigurations } from './validating-webhook-configuration.ts';

const metadata = { name: 'x' };
const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const form = '; desired format: https://host[/path]';

describe('what is wrong with webhooks', () => {
  const errorsOf = (webhook: object) => {
    const whole = {
      name: 'a.b.c',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { url: 'https://x.y/z' },
      ...webhook,
    };
    return createErrors(validatingWebhookConfigurations, { metadata, webhooks: [whole as never] }).map((text) =>
      text.replace('webhooks[0].', ''),
    );
  };

  const places: [string, string[]][] = [
    ['https://x/a', []],
    ['https://[::1]:8443/', []],
    ['https://', [`Invalid value: "": host must be specified${form}`]],
    ['x', [`Invalid value: "": 'https' is the only allowed URL scheme${form}`, `Invalid value: "": host must be specified${form}`]],
    ['http://x', [`Invalid value: "http": 'https' is the only allowed URL scheme${form}`]],
    ['https://u:p@x/', ['Invalid value: "u:p": user information is not permitted in the URL']],
    [
      'https://x/?a=b#c',
      ['Invalid value: "c": fragments are not permitted in the URL', 'Invalid value: "a=b": query parameters are not permitted in the URL'],
    ],
    ['https://x:99999', []],
    ['https://x:y', [`Required value: url must be a valid URL: parse "https://x:y": invalid port ":y" after host${form}`]],
    ['https://x y', [`Required value: url must be a valid URL: parse "https://x y": invalid character " " in host name${form}`]],
    [':', [`Required value: url must be a valid URL: parse ":": missing protocol scheme${form}`]],
    ['https://%zz', [`Required value: url must be a valid URL: parse "https://%zz": invalid URL escape "%zz"${form}`]],
  ];
  for (const [url, problems] of places)
    it(`at ${url}`, () =>
      assert.deepEqual(
        errorsOf({ clientConfig: { url } }),
        problems.map((problem) => `clientConfig.url: ${problem}`),
      ));

  const paths: [string, string[]][] = [
    ['/', []],
    ['/x/', []],
    ['x', ["must start with a '/'", 'segment[0] may not be empty']],
    ['/x//y', ['segment[1] may not be empty']],
    ['/_x', [`segment[0]: ${subdomain}`]],
  ];
  for (const [path, problems] of paths)
    it(`of a Service at ${path}`, () =>
      assert.deepEqual(
        errorsOf({ clientConfig: { service: { name: 'a', namespace: 'b', path } } }),
        problems.map((problem) => `clientConfig.service.path: Invalid value: ${JSON.stringify(path)}: ${problem}`),
      ));

  it('names of conditions that are missing are not told twice, and empty texts are no choices', () => {
    const conditions = [
      { name: '', expression: 'true' },
      { name: '', expression: 'true' },
    ];
    assert.deepEqual(errorsOf({ matchConditions: conditions, failurePolicy: '', sideEffects: '' }), [
      'failurePolicy: Unsupported value: "": supported values: "Fail", "Ignore"',
      'sideEffects: Unsupported value: "": supported values: "None", "NoneOnDryRun"',
      'matchConditions[0].name: Required value',
      'matchConditions[1].name: Required value',
    ]);
  });

  const resourceCases: [string[], string[]][] = [
    [['pods/x', 'pods/*'], []],
    [['pods/*', 'pods/x'], [`[1]: Invalid value: "pods/x": if 'pods/*' is present, must not specify pods/x`]],
    [['*/status', 'pods/status'], [`[1]: Invalid value: "pods/status": if '*/status' is present, must not specify pods/status`]],
    [['*', 'pods'], [`: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`]],
    [['pods', '*', 'pods/x', '*'], []],
  ];
  for (const [resources, problems] of resourceCases)
    it(`resources ${resources.join()}`, () =>
      assert.deepEqual(
        errorsOf({ rules: [{ ...rule, resources }] }),
        problems.map((problem) => `rules[0].resources${problem}`),
      ));

  it('operations are looked at first, versions of reviews are told apart', () => {
    assert.deepEqual(
      errorsOf({ rules: [{}] }),
      ['operations', 'apiGroups', 'apiVersions', 'resources'].map((field) => `rules[0].${field}: Required value`),
    );
    assert.deepEqual(errorsOf({ admissionReviewVersions: ['v1', 'v1'] }), [
      'admissionReviewVersions[1]: Invalid value: "v1": duplicate version',
    ]);
  });
});

describe('what is wrong with policies', () => {
  const matchConstraints = { resourceRules: [rule] };
  const errorsOf = (spec: object) =>
    createErrors(validatingAdmissionPolicies, {
      metadata,
      spec: { matchConstraints, validations: [{ expression: 'true' }], ...spec } as never,
    });

  it('one without validations', () => {
    const message = 'Required value: validations or auditAnnotations must contain at least one item';
    assert.deepEqual(errorsOf({ validations: [] }), [`spec.validations: ${message}`, `spec.auditAnnotations: ${message}`]);
  });
  const wrong: [object, string][] = [
    [
      { validations: [{ expression: 'true', messageExpression: ' ' }] },
      'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
    ],
    [
      { validations: [{ expression: 'true', reason: 'x' }] },
      'spec.validations[0].reason: Unsupported value: "x": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ],
    [{ variables: [{ name: 'in', expression: '1' }] }, 'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier'],
    [
      { matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a', 'a'] }] } },
      'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
    ],
    [
      { auditAnnotations: ['a', 'a'].map((key) => ({ key, valueExpression: "'x'" })) },
      'spec.auditAnnotations[1].key: Duplicate value: "a"',
    ],
  ];
  for (const [spec, message] of wrong) it(message, () => assert.deepEqual(errorsOf(spec), [message]));
  it('keys of annotations are told with the name of the policy', () =>
    assert.match(
      errorsOf({ auditAnnotations: [{ key: '-', valueExpression: "'x'" }] })[0] ?? '',
      /key: Invalid value: "x\/-": name part must/,
    ));
  it('kinds of parameters may be of mixed case', () => {
    assert.deepEqual(errorsOf({ paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }), []);
    assert.match(
      errorsOf({ paramKind: { apiVersion: 'v1', kind: '-' } })[0] ?? '',
      /kind: Invalid value: "-": may have mixed case, but should otherwise match: a DNS-1035/,
    );
  });
});

it('bindings name their parameters or select them', () => {
  const paramRef = { name: 'x', selector: {}, parameterNotFoundAction: 'x' };
  const spec = { policyName: 'p', validationActions: ['Deny'], paramRef };
  assert.deepEqual(createErrors(validatingAdmissionPolicyBindings, { metadata, spec: spec as never }), [
    'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.parameterNotFoundAction: Unsupported value: "x": supported values: "Deny", "Allow"',
  ]);
});
