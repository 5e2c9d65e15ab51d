import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-cli] Kubectl client Kubectl api-versions should check if v1 is in available api versions [Conformance]',
  release: 'v1.9',
  behavior: '`kubectl api-versions` MUST list v1.',
  needsKubectl: true,
  async run({ kubectl }) {
    const { stdout, stderr } = await kubectl('api-versions');
    assert.ok(stdout.split('\n').includes('v1'), `${stdout}${stderr}`);
  },
});
