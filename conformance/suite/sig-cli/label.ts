import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-cli] Kubectl client Kubectl label should update the label on a resource [Conformance]',
  release: 'v1.9',
  behavior: '`kubectl label` MUST add a label, which `get -L` shows, and remove it again.',
  needsNode: true,
  needsKubectl: true,
  async run(context) {
    const container = { name: 'pause', image: testImages.busybox, command: ['sleep', '3600'] };
    await startPod(context, { name: 'pause', spec: { containers: [container] } });
    const kubectl = async (...args: string[]) => {
      const { code, stdout, stderr } = await context.kubectl(...args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await kubectl('label', 'pods', 'pause', 'testing-label=testing-label-value');
    assert.match(await kubectl('get', 'pod', 'pause', '-L', 'testing-label'), /testing-label-value/);
    await kubectl('label', 'pods', 'pause', 'testing-label-');
    assert.doesNotMatch(await kubectl('get', 'pod', 'pause', '-L', 'testing-label'), /testing-label-value/);
  },
});
