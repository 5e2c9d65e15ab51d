import assert from 'node:assert/strict';
import { services } from '../../../api/resources/core/v1/service.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-network] API Server should provide secure master service [Conformance]',
  release: 'v1.9',
  behavior: 'The Service "kubernetes" in the default namespace MUST offer the API on port 443.',
  async run({ client }) {
    const service = await client(services).get({ namespace: 'default', name: 'kubernetes' });
    assert.ok(service.spec?.clusterIP);
    assert.deepEqual(
      service.spec.ports?.filter(({ name }) => name === 'https').map(({ port, protocol }) => [port, protocol]),
      [[443, 'TCP']],
    );
  },
});
