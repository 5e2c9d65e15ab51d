import assert from 'node:assert/strict';
import { defaultPullPolicy, findImageReference, formatImageReference } from './image-reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('image references', () => {
  const cases: [string, string | undefined, string][] = [
    ['nginx', 'docker.io/library/nginx:latest', 'Always'],
    ['nginx:latest', 'docker.io/library/nginx:latest', 'Always'],
    ['nginx:1.29', 'docker.io/library/nginx:1.29', 'IfNotPresent'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest', 'Always'],
    ['registry:5000/a/b', 'registry:5000/a/b:latest', 'Always'],
    ['registry:5000/a/b:v1', 'registry:5000/a/b:v1', 'IfNotPresent'],
    ['localhost/a', 'localhost/a:latest', 'Always'],
    [`registry.k8s.io/pause@${digest}`, `registry.k8s.io/pause@${digest}`, 'IfNotPresent'],
    [`nginx:latest@${digest}`, `docker.io/library/nginx:latest@${digest}`, 'Always'],
    ['[::1]:5000/a:1', '[::1]:5000/a:1', 'IfNotPresent'],
    ['Nginx', undefined, 'IfNotPresent'],
    ['a b', undefined, 'IfNotPresent'],
    ['nginx:', undefined, 'IfNotPresent'],
  ];
  for (const [text, full, policy] of cases) {
    it(text, () => {
      const reference = findImageReference(text);
      assert.equal(reference && formatImageReference(reference), full);
      assert.equal(defaultPullPolicy(text), policy);
    });
  }
});
