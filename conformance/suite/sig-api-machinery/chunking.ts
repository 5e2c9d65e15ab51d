import assert from 'node:assert/strict';
import { podTemplates } from '../../../api/resources/core/v1/pod-template.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

const total = 400;

export default conformanceTest({
  name: '[sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls [Conformance]',
  release: 'v1.29',
  behavior:
    'A list with a limit MUST return at most so many objects in order with a continue token, its remaining count and one resourceVersion for all chunks; without a limit, everything.',
  async run({ client, namespace }) {
    const waiting = Array.from({ length: total }, (_, index) => `template-${String(index).padStart(4, '0')}`);
    const names = [...waiting];
    const template = { metadata: { labels: { app: 'chunking' } }, spec: { containers: [{ name: 'test', image: 'test2' }] } };
    const create = async () => {
      for (let name = waiting.shift(); name; name = waiting.shift())
        await client(podTemplates).create({ metadata: { namespace, name }, template });
    };
    await Promise.all(Array.from({ length: 20 }, create));

    for (const limit of [1, 70, 150, 399, 400, 401]) {
      const found: string[] = [];
      let token: string | undefined;
      let resourceVersion: string | undefined;
      do {
        const page = await client(podTemplates).list({ namespace, limit, ...(token ? { continue: token } : {}) });
        assert.ok(page.items.length <= limit, `${page.items.length} objects with a limit of ${limit}`);
        resourceVersion ??= page.metadata.resourceVersion;
        assert.equal(page.metadata.resourceVersion, resourceVersion, 'chunks of one list are of one resourceVersion');
        found.push(...page.items.map(({ metadata }) => metadata.name ?? ''));
        token = page.metadata.continue;
        if (token) assert.equal(page.metadata.remainingItemCount, total - found.length);
        else assert.equal(page.metadata.remainingItemCount, undefined);
        // One by one, the first ten show what there is to see.
      } while (token && !(limit === 1 && found.length >= 10));
      assert.deepEqual(found, names.slice(0, found.length));
      if (limit > 1) assert.equal(found.length, total);
    }
    const all = await client(podTemplates).list({ namespace });
    assert.deepEqual(
      all.items.map(({ metadata }) => metadata.name),
      names,
    );
  },
});
