import assert from 'node:assert/strict';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { toFieldSet } from './to-field-set.ts';

describe('the fields that an applied configuration claims', () => {
  it('are those of any object where another resource is embedded', () => {
    const embedded: StructuralSchema = { type: 'object', embeddedResource: true, preserveUnknownFields: true };
    const schema: StructuralSchema = {
      type: 'object',
      properties: new Map([['template', { schema: embedded, required: false, omitEmpty: true, pointer: true }]]),
    };
    const template = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', labels: { a: 'b' } }, spec: { x: 1 } };
    // Recorded from kube-apiserver v1.32.
    assert.deepEqual(JSON.parse(JSON.stringify(toFieldSet(schema, { template }))), {
      'f:template': {
        'f:apiVersion': {},
        'f:kind': {},
        'f:metadata': { 'f:labels': { 'f:a': {} }, 'f:name': {} },
        'f:spec': { '.': {}, 'f:x': {} },
      },
    });
  });
});
