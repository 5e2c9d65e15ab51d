import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-cli] Kubectl client Kubectl version should check is all data is printed [Conformance]',
  release: 'v1.9',
  behavior: '`kubectl version` MUST print the versions of client and server.',
  needsKubectl: true,
  async run({ kubectl }) {
    const { stdout, stderr } = await kubectl('version');
    for (const part of ['Client Version: v', 'Server Version: v1.']) assert.ok(stdout.includes(part), `no ${part} in ${stdout}${stderr}`);
  },
});
