import assert from 'node:assert/strict';
import { VersionApi } from '@kubernetes/client-node';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] server version should find the server version [Conformance]',
  release: 'v1.19',
  behavior: 'The API server MUST tell its major and minor version, the minor one as a number with an optional "+".',
  async run({ kubeConfig }) {
    const version = await kubeConfig.makeApiClient(VersionApi).getCode();
    assert.equal(version.major, '1');
    assert.match(version.minor, /^\d+\+?$/);
    assert.match(version.gitVersion, /^v1\.\d+\.\d+/);
  },
});
