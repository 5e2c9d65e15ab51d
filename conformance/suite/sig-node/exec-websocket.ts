import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-node] Pods should support remote command execution over websockets [NodeConformance] [Conformance]',
  release: 'v1.13',
  behavior: 'A command MUST be run in a container over a WebSocket, with its output and its exit code.',
  needsNode: true,
  async run(context) {
    const container = { name: 'main', image: testImages.busybox, command: ['/bin/sh', '-c', 'echo container is alive; sleep 600'] };
    await startPod(context, { name: 'pod-exec-websocket', spec: { containers: [container] } });
    const said = await context.exec('pod-exec-websocket', ['sh', '-c', 'echo remote execution test; echo to stderr >&2']);
    assert.deepEqual(said, { exitCode: 0, stdout: 'remote execution test\n', stderr: 'to stderr\n' });
    const failed = await context.exec('pod-exec-websocket', ['sh', '-c', 'exit 42']);
    assert.equal(failed.exitCode, 42);
  },
});
