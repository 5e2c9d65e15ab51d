import assert from 'node:assert/strict';
import { StatusError } from '../../../api/meta/status.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-node] Secrets should fail to create secret due to empty secret key [Conformance]',
  release: 'v1.15',
  behavior: 'A Secret with an empty key MUST be refused as invalid.',
  async run({ client, namespace }) {
    const creating = client(secrets).create({ metadata: { namespace, name: 'empty-key' }, data: { '': 'dmFsdWUtMQ==' } });
    await assert.rejects(
      creating,
      (error) => error instanceof StatusError && error.status.code === 422 && error.status.reason === 'Invalid',
    );
  },
});
