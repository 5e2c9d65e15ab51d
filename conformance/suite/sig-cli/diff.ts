import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-cli] Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments [Conformance]',
  release: 'v1.19',
  behavior: '`kubectl diff` MUST show a changed image of a Deployment and end with exit code 1.',
  needsKubectl: true,
  async run({ kubectl, cleanUp }) {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'conformance-diff-'));
    cleanUp(async () => rmSync(directory, { recursive: true }));
    const labels = { app: 'httpd' };
    const write = (image: string) => {
      const file = path.join(directory, 'deployment.json');
      const template = { metadata: { labels }, spec: { containers: [{ name: 'httpd', image }] } };
      const spec = { replicas: 1, selector: { matchLabels: labels }, template };
      writeFileSync(file, JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'httpd-deployment' }, spec }));
      return file;
    };
    const created = await kubectl('create', '-f', write(testImages.nginx));
    assert.equal(created.code, 0, created.stderr);
    const { code, stdout, stderr } = await kubectl('diff', '-f', write(testImages.busybox));
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^-\s+- image: nginx:1.26$/m);
    assert.match(stdout, /^\+\s+- image: busybox:1.37$/m);
  },
});
