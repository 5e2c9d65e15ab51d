import assert from 'node:assert/strict';
import type { CustomResourceDefinitionSpec } from '../../../types/apiextensions-v1.ts';
import { formatFieldError } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { validateDefinitionSpec } from './definition-spec.ts';

const labelRule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } };
const spec: CustomResourceDefinitionSpec = {
  group: 'e.x',
  scope: 'Namespaced',
  names: { plural: 'ts', singular: 't', kind: 'T', listKind: 'TList' },
  versions: [version],
};
const errorsOf = (changes: object) =>
  validateDefinitionSpec({ ...spec, ...changes } as CustomResourceDefinitionSpec, FieldPath.root.child('spec')).map((error) =>
    formatFieldError(error),
  );

describe('what is wrong with the spec of a CustomResourceDefinition', () => {
  it('nothing', () => assert.deepEqual(errorsOf({}), []));

  const webhook = (more: object) => ({ conversion: { strategy: 'Webhook', webhook: more } });
  const clientConfig = { url: 'https://x' };
  const cases: [string, object, string[]][] = [
    [
      'a conversion that nobody does',
      { conversion: { strategy: 'Webhook' } },
      [
        'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
        'spec.conversion.conversionReviewVersions: Required value',
      ],
    ],
    [
      'a conversion in a version that the server does not speak',
      webhook({ clientConfig, conversionReviewVersions: ['v2'] }),
      ['spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1'],
    ],
    [
      'none, and who does it',
      { conversion: { strategy: 'None', webhook: { clientConfig, conversionReviewVersions: ['v1'] } } },
      ['webhookClientConfig', 'conversionReviewVersions'].map(
        (field) => `spec.conversion.${field}: Forbidden: should not be set when strategy is not set to Webhook`,
      ),
    ],
    [
      'unknown fields kept as they once were',
      { preserveUnknownFields: true },
      [
        'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ],
    ],
    [
      'unknown fields kept beside defaults and a conversion',
      {
        preserveUnknownFields: true,
        versions: [{ ...version, schema: { openAPIV3Schema: { type: 'object', properties: { a: { type: 'string', default: 'x' } } } } }],
        ...webhook({ clientConfig, conversionReviewVersions: ['v1'] }),
      },
      [
        'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
        'spec.preserveUnknownFields: Invalid value: true: must be false in order to use defaults in the schema',
        'spec.conversion.strategy: Invalid value: "Webhook": must be None if spec.preserveUnknownFields is true',
      ],
    ],
    [
      'versions of reviews that are told twice, or have no name of a version',
      webhook({ clientConfig, conversionReviewVersions: ['v1', 'v1', 'V_1'] }),
      [
        'spec.conversion.conversionReviewVersions[1]: Invalid value: "v1": duplicate version',
        `spec.conversion.conversionReviewVersions[2]: Invalid value: "V_1": ${labelRule}`,
      ],
    ],
    [
      'a strategy that is none, with a webhook',
      { conversion: { strategy: 'Foo', webhook: { clientConfig, conversionReviewVersions: ['v1'] } } },
      [
        'spec.conversion.strategy: Unsupported value: "Foo": supported values: "None", "Webhook"',
        'spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook',
        'spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook',
      ],
    ],
    [
      'a group that is no name of a domain',
      { group: 'Bad_Group' },
      [
        "spec.group: Invalid value: \"Bad_Group\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    ['a group without a dot', { group: 'single' }, ['spec.group: Invalid value: "single": should be a domain with at least one dot']],
    [
      'the first version, which upstream names twice',
      { versions: [{ ...version, name: 'V1' }] },
      [`spec.versions[0].name: Invalid value: "V1": ${labelRule}`, `spec.version: Invalid value: "V1": ${labelRule}`],
    ],
    [
      'names without a kind, of which the singular would be made',
      { names: { plural: 'ts', kind: '' } },
      ['singular', 'kind', 'listKind'].map((field) => `spec.names.${field}: Required value`),
    ],
  ];
  for (const [what, changes, errors] of cases) it(what, () => assert.deepEqual(errorsOf(changes), errors));
  it('a version without a name', () =>
    assert.match(
      errorsOf({ versions: [{ ...spec.versions[0], name: '' }] })[0] ?? '',
      /^spec\.versions\[0\]\.name: Invalid value: "": a DNS-1035 label must/,
    ));
});
