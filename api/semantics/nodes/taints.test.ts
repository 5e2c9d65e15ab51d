import assert from 'node:assert/strict';
import { findUntoleratedTaint, formatTaint, tolerationSeconds, toleratesTaint } from './taints.ts';

const gpu = { key: 'gpu', value: 'a100', effect: 'NoSchedule' } as const;
const gone = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' } as const;

describe('taints', () => {
  const cases = [
    ['the same key, value and effect', { key: 'gpu', operator: 'Equal', value: 'a100', effect: 'NoSchedule' }, true],
    ['Equal is the default', { key: 'gpu', value: 'a100' }, true],
    ['another value', { key: 'gpu', value: 'h100' }, false],
    ['another effect', { key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, false],
    ['any value', { key: 'gpu', operator: 'Exists' }, true],
    ['anything', { operator: 'Exists' }, true],
    ['another key', { key: 'cpu', operator: 'Exists' }, false],
  ] as const;
  for (const [name, toleration, tolerated] of cases) {
    it(name, () => assert.equal(toleratesTaint(toleration, gpu), tolerated));
  }

  it('finds only taints of the effects asked for', () => {
    assert.equal(findUntoleratedTaint([gone, gpu], [], ['NoSchedule']), gpu);
    assert.equal(findUntoleratedTaint([gone, gpu], [{ operator: 'Exists', key: 'gpu' }], ['NoSchedule']), undefined);
  });

  it('takes the least of the tolerated seconds', () => {
    const bounded = (seconds: number) => ({
      key: gone.key,
      operator: 'Exists' as const,
      effect: 'NoExecute' as const,
      tolerationSeconds: seconds,
    });
    assert.equal(tolerationSeconds([gone], [bounded(300), bounded(30)]), 30);
    assert.equal(tolerationSeconds([gone], [bounded(-5)]), 0);
    assert.equal(tolerationSeconds([gone], [{ operator: 'Exists' }]), undefined);
    assert.equal(tolerationSeconds([gone], []), 0);
    assert.equal(tolerationSeconds([gpu], []), undefined);
  });

  it('is written as kubectl writes it', () => {
    assert.equal(formatTaint(gpu), 'gpu=a100:NoSchedule');
    assert.equal(formatTaint(gone), 'node.kubernetes.io/unreachable:NoExecute');
  });
});
