import assert from 'node:assert/strict';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import type { Namespace } from '../../../api/types/core-v1.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { waitFor } from '../../framework/wait-for.ts';

const finalizer = 'e2e.example.com/fakeFinalizer';

export default conformanceTest({
  name: '[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]',
  release: 'v1.26',
  behavior: 'A finalizer MUST be added to and removed from the spec of a Namespace through its finalize subresource.',
  async run({ client, createNamespace }) {
    const key = { namespace: '', name: await createNamespace('e2e-ns') };
    const finalizers = async () => (await client(namespaces).get(key)).spec?.finalizers ?? [];
    const finalize = async (change: (current: readonly string[]) => string[]) => {
      const object = await client(namespaces).get(key);
      const body = { ...object, spec: { finalizers: change(object.spec?.finalizers ?? []) } };
      return await client(namespaces).updateSubresource<Namespace>(key, 'finalize', body);
    };
    assert.deepEqual(await finalizers(), ['kubernetes']);
    const added = await finalize((current) => [...current, finalizer]);
    assert.deepEqual(added.spec?.finalizers, ['kubernetes', finalizer]);
    await finalize((current) => current.filter((one) => one !== finalizer));
    await waitFor('removal of the finalizer', async () => !(await finalizers()).includes(finalizer), { withinSeconds: 10 });
  },
});
