import assert from 'node:assert/strict';
import type { CustomResourceDefinitionSpec } from '../../../types/apiextensions-v1.ts';
import { formatFieldError } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { validateDefinitionSpec } from './definition-spec.ts';

const spec: CustomResourceDefinitionSpec = {
  group: 'e.x',
  scope: 'Namespaced',
  names: { plural: 'ts', singular: 't', kind: 'T', listKind: 'TList' },
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
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
