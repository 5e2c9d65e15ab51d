import assert from 'node:assert/strict';
import { formatFieldError } from '../../validation/field-error.ts';
import { formatLevelVersion, policyOfLabels, privilegedPolicy } from './policy.ts';

const prefix = 'pod-security.kubernetes.io/';

function read(labels: Record<string, string>) {
  const named = Object.fromEntries(Object.entries(labels).map(([key, value]) => [prefix + key, value]));
  const { policy, errors } = policyOfLabels(named, privilegedPolicy);
  return [[policy.enforce, policy.audit, policy.warn].map(formatLevelVersion).join(' '), ...errors.map(formatFieldError)];
}

describe('policies of namespaces', () => {
  const cases: [what: string, labels: Record<string, string>, expected: string[]][] = [
    ['no labels', {}, ['privileged:latest privileged:latest privileged:latest']],
    ['warn follows enforce', { enforce: 'baseline', 'enforce-version': 'v1.20' }, ['baseline:v1.20 privileged:latest baseline:v1.20']],
    ['warn has its own version', { enforce: 'baseline', 'warn-version': 'v1.9' }, ['baseline:latest privileged:latest baseline:v1.9']],
    ['warn has its own level', { enforce: 'restricted', warn: 'privileged' }, ['restricted:latest privileged:latest privileged:latest']],
    ['audit and warn', { audit: 'restricted', warn: 'baseline' }, ['privileged:latest restricted:latest baseline:latest']],
    [
      'no level of enforce is the strictest, and warn does not follow it',
      { enforce: 'strict' },
      [
        'restricted:latest privileged:latest privileged:latest',
        'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
      ],
    ],
    [
      'no level of the others is none',
      { audit: '', warn: 'Baseline' },
      [
        'privileged:latest privileged:latest privileged:latest',
        'metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: "": must be one of privileged, baseline, restricted',
        'metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "Baseline": must be one of privileged, baseline, restricted',
      ],
    ],
    ...['1.20', 'v1.020', 'v2.1', 'v1.', 'Latest', 'v1.-1', 'v1.99999999999999999999'].map(
      (version): [string, Record<string, string>, string[]] => [
        `${version} is no version`,
        { 'enforce-version': version },
        [
          'privileged:latest privileged:latest privileged:latest',
          `metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "${version}": must be "latest" or "v1.x"`,
        ],
      ],
    ),
  ];
  for (const [what, labels, expected] of cases) it(what, () => assert.deepEqual(read(labels), expected));
});
