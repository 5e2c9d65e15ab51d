import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { createPod, waitForPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-cli] Kubectl logs logs should be able to retrieve and filter logs [Conformance]',
  release: 'v1.9',
  behavior: '`kubectl logs` MUST return a log, its last lines, its first bytes, its newest part, and lines with timestamps.',
  needsNode: true,
  needsKubectl: true,
  async run(context) {
    const command = ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done'];
    const spec = { restartPolicy: 'Never' as const, containers: [{ name: 'generator', image: testImages.busybox, command }] };
    await createPod(context, { name: 'logs-generator', spec });
    await waitForPod(context, 'logs-generator', 'ended', ({ status }) => status?.phase === 'Succeeded');
    const logs = async (...args: string[]) => {
      const { code, stdout, stderr } = await context.kubectl('logs', 'logs-generator', 'generator', ...args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    assert.equal((await logs()).split('\n').length, 11);
    assert.equal(await logs('--tail=1'), 'line 10\n');
    assert.equal(await logs('--limit-bytes=1'), 'l');
    assert.match(await logs('--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line 10\n$/);
    assert.equal((await logs('--since=24h')).split('\n').length, 11);
  },
});
