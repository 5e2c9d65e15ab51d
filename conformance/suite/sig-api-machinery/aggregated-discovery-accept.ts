import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Aggregated {
  kind: string;
  items: { metadata: { name?: string }; versions: { version: string; resources: { resource: string }[] }[] }[];
}

export default conformanceTest({
  name: '[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers [Conformance]',
  release: 'v1.30',
  behavior: 'The /api and /apis endpoints MUST answer with an APIGroupDiscoveryList when the Accept header asks for it.',
  async run({ request }) {
    for (const [path, wanted] of [
      ['/api', ['', 'v1', 'pods']],
      ['/apis', ['apps', 'v1', 'deployments']],
    ] as const) {
      const answer = await request('GET', path, { accept: aggregated });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], aggregated);
      const { kind, items } = answer.json() as Aggregated;
      assert.equal(kind, 'APIGroupDiscoveryList');
      const [group, version, resource] = wanted;
      const found = items
        .find(({ metadata }) => (metadata.name ?? '') === group)
        ?.versions.find((one) => one.version === version)
        ?.resources.some((one) => one.resource === resource);
      assert.ok(found, `${path} has no ${resource} in ${group}/${version}`);
    }
  },
});
