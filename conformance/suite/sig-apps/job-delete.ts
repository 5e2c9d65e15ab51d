import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-apps] Job should delete a job [Conformance]',
  release: 'v1.15',
  behavior: 'A Job deleted in the foreground MUST vanish together with its Pods.',
  needsNode: true,
  async run({ client, namespace }) {
    const key = { namespace, name: 'foo' };
    const spec = {
      restartPolicy: 'Never' as const,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: testImages.busybox, command: ['sleep', '1000000'] }],
    };
    await client(jobs).create({ metadata: key, spec: { parallelism: 2, completions: 4, template: { spec } } });
    const running = async () => {
      const { items } = await client(pods).list({ namespace, labelSelector: 'job-name=foo' });
      return items.filter(({ status }) => status?.phase === 'Running').length === 2;
    };
    await waitFor('two running Pods', running, { withinSeconds: 90 });
    await client(jobs).delete(key, { propagationPolicy: 'Foreground' });
    await waitFor('removal of the Job', async () => (await ignoreNotFound(client(jobs).get(key))) === undefined, { withinSeconds: 90 });
    await waitFor('removal of its Pods', async () => (await client(pods).list({ namespace })).items.length === 0, { withinSeconds: 90 });
  },
});
