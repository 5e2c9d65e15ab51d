import assert from 'node:assert/strict';
import { memoryVolumeBytes } from './pod-volumes.ts';

describe('kubelet: the size of a volume in memory', () => {
  for (const [what, ofVolume, ofPod, wanted] of [
    ['what the node can allocate, without a limit: the kernel would take half of the memory', 0, 0, 1000],
    ["the volume's limit", 300, 0, 300],
    ["the Pod's limit", 0, 200, 200],
    ['the least of both', 300, 200, 200],
    ['never more than the node can allocate', 5000, 6000, 1000],
  ] as const)
    it(`is ${what}`, () => assert.equal(memoryVolumeBytes(ofVolume, ofPod, 1000), wanted));
});
