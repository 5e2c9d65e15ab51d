import assert from 'node:assert/strict';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-apps] Job should run a job to completion when tasks sometimes fail and are locally restarted [Conformance]',
  release: 'v1.16',
  behavior: 'A Job whose containers fail at first and are restarted in place MUST complete with as many succeeded Pods as it asks for.',
  needsNode: true,
  timeoutSeconds: 180,
  async run({ client, namespace }) {
    const key = { namespace, name: 'fail-once-local' };
    const script = 'if [ -e /data/foo ]; then exit 0; else touch /data/foo; exit 1; fi';
    const container = {
      name: 'c',
      image: testImages.busybox,
      command: ['/bin/sh', '-c', script],
      volumeMounts: [{ mountPath: '/data', name: 'data' }],
    };
    const spec = { restartPolicy: 'OnFailure' as const, containers: [container], volumes: [{ name: 'data', emptyDir: {} }] };
    await client(jobs).create({ metadata: key, spec: { parallelism: 2, completions: 4, template: { spec } } });
    const done = await waitFor(
      'completion of the Job',
      async () => {
        const job = await client(jobs).get(key);
        return job.status?.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') ? job : undefined;
      },
      { withinSeconds: 150 },
    );
    assert.equal(done.status?.succeeded, 4);
    const { items } = await client(pods).list({ namespace, labelSelector: 'job-name=fail-once-local' });
    const succeeded = items.filter(({ status }) => status?.phase === 'Succeeded');
    assert.equal(succeeded.length, 4);
    assert.ok(succeeded.every(({ status }) => status?.containerStatuses?.[0]?.restartCount === 1));
  },
});
