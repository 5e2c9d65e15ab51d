import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a namespace is deleted [Conformance]',
  release: 'v1.11',
  behavior: 'When a Namespace is deleted, its Services MUST be deleted; a new Namespace of the same name MUST NOT have them.',
  async run({ client, createNamespace }) {
    const name = await createNamespace('nsdeletetest');
    const key = { namespace: '', name };
    await client(services).create({ metadata: { namespace: name, name: 'test-service' }, spec: { ports: [{ port: 80 }] } });
    await client(namespaces).delete(key);
    await waitFor('removal of the Namespace', async () => (await ignoreNotFound(client(namespaces).get(key))) === undefined, {
      withinSeconds: 90,
    });
    await client(namespaces).create({ metadata: { name } });
    assert.equal(await ignoreNotFound(client(services).get({ namespace: name, name: 'test-service' })), undefined);
  },
});
