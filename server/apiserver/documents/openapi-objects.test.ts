import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { createClient } from '../../../api/client/create-client.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { startAPIServerInProcess } from '../testing/start-api-server.ts';

const documents = path.resolve(import.meta.dirname, '../../../openapi/generated/v3');

/** The published schema of a kind, as an ajv of its own sees it: the differential oracle for what the server really sends. */
function validatorOf({ group, version, definition }: ResourceDefinition): (object: unknown) => string[] {
  const file = group === '' ? `api/${version}.json` : `apis/${group}/${version}.json`;
  const document = JSON.parse(readFileSync(path.join(documents, file), 'utf8')) as { components: { schemas: Record<string, unknown> } };
  const ajv = new Ajv({ strict: false, allErrors: true, ownProperties: true, validateFormats: false });
  ajv.addSchema(document, 'document');
  const validate = ajv.getSchema(`document#/components/schemas/${definition}`);
  assert.ok(validate, `${definition} is not published`);
  return (object) => {
    validate(object);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  };
}

/** OpenAPI has no word for what Go writes as null where nothing is set; clients of Kubernetes know it. */
const nullIsUnset = /must be (array|object|string)$/;

describe('what the server sends fits the schemas it publishes', () => {
  it('for every object that a cluster has from its beginning', async () => {
    const server = await startAPIServerInProcess({});
    try {
      const client = createClient(server.client.transport, { userAgent: 'test' });
      let seen = 0;
      for (const definition of catalog) {
        if (definition.storagePrefix === undefined) continue;
        const { items } = await client(definition).list();
        if (items.length === 0) continue;
        const validate = validatorOf(definition);
        for (const item of items as KubeObject[]) {
          seen++;
          const errors = validate(item).filter((error) => !nullIsUnset.test(error));
          assert.deepEqual(errors, [], `${definition.names.kind} ${item.metadata.name ?? ''}`);
        }
      }
      assert.ok(seen > 100, `only ${seen} objects were seen`);
    } finally {
      await server.close();
    }
  });
});
