import assert from 'node:assert/strict';
import { conformanceTest } from '../../../framework/conformance-test.ts';

interface Group {
  readonly name: string;
  readonly preferredVersion: { readonly groupVersion: string };
  readonly versions: readonly { readonly groupVersion: string }[];
}

export default conformanceTest({
  name: '[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] should include custom resource definition resources in discovery documents [Conformance]',
  release: 'v1.16',
  behavior: 'The discovery documents MUST name apiextensions.k8s.io/v1 and its resource customresourcedefinitions.',
  async run({ request }) {
    const version = 'apiextensions.k8s.io/v1';
    const { groups } = (await request('GET', '/apis')).json() as { readonly groups: readonly Group[] };
    const listed = groups.find(({ name }) => name === 'apiextensions.k8s.io');
    const alone = (await request('GET', '/apis/apiextensions.k8s.io')).json() as Group;
    for (const group of [listed, alone]) {
      assert.equal(group?.preferredVersion.groupVersion, version);
      assert.ok(group.versions.some(({ groupVersion }) => groupVersion === version));
    }
    const { resources } = (await request('GET', `/apis/${version}`)).json() as { readonly resources: readonly Record<string, unknown>[] };
    const found = resources.find(({ name }) => name === 'customresourcedefinitions');
    assert.deepEqual([found?.['kind'], found?.['namespaced']], ['CustomResourceDefinition', false]);
    assert.ok(resources.some(({ name }) => name === 'customresourcedefinitions/status'));
  },
});
