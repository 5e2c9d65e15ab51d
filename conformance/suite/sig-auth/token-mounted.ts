import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';

export default conformanceTest({
  name: '[sig-auth] ServiceAccounts should mount an API token into pods [Conformance]',
  release: 'v1.9',
  behavior: 'A Pod MUST have a token of its ServiceAccount, the root certificates and its namespace as files.',
  needsNode: true,
  async run(context) {
    const container = { name: 'test', image: testImages.busybox, command: ['sleep', '3600'] };
    await startPod(context, { name: 'pod-service-account', spec: { serviceAccountName: 'default', containers: [container] } });
    const read = async (file: string) => (await context.exec('pod-service-account', ['cat', `${folder}/${file}`])).stdout;
    assert.equal(await read('namespace'), context.namespace);
    assert.match(await read('ca.crt'), /BEGIN CERTIFICATE/);
    const review = await context.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: await read('token') } },
    });
    const { status } = review.json() as { status: { user?: { username: string } } };
    assert.equal(status.user?.username, `system:serviceaccount:${context.namespace}:default`);
  },
});
