import assert from 'node:assert/strict';
import { formatFieldErrors } from './field-error.ts';
import { FieldPath } from './field-path.ts';
import * as formats from './formats.ts';
import * as addresses from './ip-addresses.ts';
import { validateAnnotations, validateLabelSelector } from './labels.ts';
import * as names from './names.ts';

const label63 = 'a'.repeat(63);

describe('names', () => {
  const subdomainMessage =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  const cases: [string, (value: string) => string[], string, string[]][] = [
    ['label', names.dns1123LabelProblems, label63, []],
    ['label', names.dns1123LabelProblems, `${label63}a`, ['must be no more than 63 characters']],
    ['label', names.dns1123LabelProblems, 'a.b', ['must not contain dots']],
    ['subdomain', names.dns1123SubdomainProblems, 'a.b-c.d', []],
    ['subdomain', names.dns1123SubdomainProblems, 'A', [subdomainMessage]],
    ['subdomain', names.dns1123SubdomainProblems, 'a\n', [subdomainMessage]],
    ['qualified name', names.qualifiedNameProblems, 'example.com/My.Name_1', []],
    [
      'qualified name',
      names.qualifiedNameProblems,
      'a/b/c',
      [
        "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
      ],
    ],
    ['qualified name', (value) => names.qualifiedNameProblems(value).slice(0, 1), '/a', ['prefix part must be non-empty']],
    ['qualified name', (value) => names.qualifiedNameProblems(value).slice(0, 1), 'a/', ['name part must be non-empty']],
    ['label value', names.labelValueProblems, '', []],
    ['label value', names.labelValueProblems, `${label63}a`, ['must be no more than 63 bytes']],
    ['qualified name', names.qualifiedNameProblems, `a/${label63}a`, ['name part must be no more than 63 bytes']],
    [
      'label value',
      (value) => names.labelValueProblems(value).map((problem) => problem.slice(0, 50)),
      '-',
      ['a valid label must be an empty string or consist o'],
    ],
    ['path segment', names.pathSegmentNameProblems, '..', ["may not be '..'"]],
    ['path segment', names.pathSegmentNameProblems, 'a/%', ["may not contain '/'", "may not contain '%'"]],
    ['path segment', names.pathSegmentNameProblems, 'system:node', []],
    ['prefix', (value) => names.nameIsDNSSubdomain(value, true), 'web-', []],
    ['port name', formats.portNameProblems, 'http-1', []],
    ['port name', formats.portNameProblems, '-', ['must contain at least one letter (a-z)', 'must not begin or end with a hyphen']],
    ['config key', formats.configMapKeyProblems, 'a_b.c', []],
    ['config key', formats.configMapKeyProblems, '..a', ["must not start with '..'"]],
    ['variable', formats.envVarNameProblems, '1:a b', []],
    ['variable', (value) => formats.envVarNameProblems(value).map((problem) => problem.slice(0, 20)), 'a=b', ['a valid environment ']],
    ['variable', formats.envVarNameProblems, '', ['environment variable name must be non-empty']],
  ];
  for (const [rule, check, value, expected] of cases) {
    it(`${rule} ${JSON.stringify(value.slice(0, 20))}`, () => assert.deepEqual(check(value), expected));
  }
});

describe('addresses', () => {
  const at = FieldPath.root.child('ip');
  const cases: [string, (path: FieldPath, value: string) => Parameters<typeof formatFieldErrors>[0], string][] = [
    ['10.0.0.1', addresses.validateIP, ''],
    ['fd00:0::1', addresses.validateIP, ''],
    ['010.0.0.1', addresses.validateIP, 'ip: Invalid value: "010.0.0.1": must not have leading 0s'],
    ['::ffff:1.2.3.4', addresses.validateIP, 'ip: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address'],
    ['1.2.3', addresses.validateIP, 'ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ['fd00:0::1', addresses.validateCanonicalIP, 'ip: Invalid value: "fd00:0::1": must be in canonical form ("fd00::1")'],
    ['10.0.0.0/8', addresses.validateCIDR, ''],
    ['10.0.0.1/8', addresses.validateCIDR, 'ip: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length'],
    [
      '10.0.0.0/33',
      addresses.validateCIDR,
      'ip: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    ['FD00::/8', addresses.validateCanonicalCIDR, 'ip: Invalid value: "FD00::/8": must be in canonical form ("fd00::/8")'],
  ];
  for (const [value, validate, expected] of cases) it(value, () => assert.equal(formatFieldErrors(validate(at, value)), expected));
});

describe('labels', () => {
  const at = FieldPath.root.child('spec', 'selector');
  it('a selector', () => {
    const selector = {
      matchLabels: { a: 'b' },
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: 'b', operator: 'Exists', values: ['c'] },
      ],
    };
    assert.equal(
      formatFieldErrors(validateLabelSelector(selector, at)),
      "[spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn', spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist']",
    );
  });
  it('annotations have a total size', () => {
    const path = FieldPath.root.child('metadata', 'annotations');
    assert.deepEqual(validateAnnotations({ A: 'x'.repeat(262_143) }, path), []);
    assert.equal(
      formatFieldErrors(validateAnnotations({ a: 'x'.repeat(262_144) }, path)),
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    );
  });
});
