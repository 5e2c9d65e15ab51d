import assert from 'node:assert/strict';
import { CoreV1Api } from '@kubernetes/client-node';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-network] Services should find a service from listing all namespaces [Conformance]',
  release: 'v1.18',
  behavior: 'The Service "kubernetes" MUST be found in a list of the Services of all namespaces.',
  async run({ kubeConfig }) {
    const { items } = await kubeConfig.makeApiClient(CoreV1Api).listServiceForAllNamespaces();
    assert.ok(items.some(({ metadata }) => metadata?.name === 'kubernetes' && metadata.namespace === 'default'));
  },
});
