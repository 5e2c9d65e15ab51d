import assert from 'node:assert/strict';
import { StatusError } from '../../../api/meta/status.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-node] ConfigMap should fail to create ConfigMap with empty key [Conformance]',
  release: 'v1.14',
  behavior: 'A ConfigMap with an empty key MUST be refused as invalid.',
  async run({ client, namespace }) {
    const creating = client(configMaps).create({ metadata: { namespace, name: 'empty-key' }, data: { '': 'value-1' } });
    await assert.rejects(
      creating,
      (error) => error instanceof StatusError && error.status.code === 422 && error.status.reason === 'Invalid',
    );
  },
});
