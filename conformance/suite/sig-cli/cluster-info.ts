import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-cli] Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info [Conformance]',
  release: 'v1.9',
  behavior: '`kubectl cluster-info` MUST say where the control plane runs.',
  needsKubectl: true,
  async run({ kubectl }) {
    const { stdout, stderr } = await kubectl('cluster-info');
    assert.match(`${stdout}${stderr}`, /Kubernetes control plane.*is running at.*https:\/\//);
  },
});
