import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runPodToEnd } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: "[sig-node] Variable Expansion should allow substituting values in a container's command [NodeConformance] [Conformance]",
  release: 'v1.9',
  behavior: 'Environment variables MUST be substituted in the command of a container.',
  needsNode: true,
  async run(context) {
    const env = [{ name: 'TEST_VAR', value: 'test-value' }];
    const command = ['sh', '-c', "TEST_VAR=wrong echo '$(TEST_VAR)' '$$(TEST_VAR)'"];
    const log = await runPodToEnd(context, {
      name: 'var-expansion',
      spec: { containers: [{ name: 'dapi-container', image: testImages.busybox, command, env }] },
    });
    assert.equal(log, 'test-value $(TEST_VAR)\n');
  },
});
