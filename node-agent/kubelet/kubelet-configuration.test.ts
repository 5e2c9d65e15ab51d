import assert from 'node:assert/strict';
import { defaultEvictionFlags, parseEvictionFlags, withAllocatableMemory } from './eviction/thresholds.ts';
import { kubeletConfiguration } from './kubelet-configuration.ts';
import type { KubeletSettings } from './kubelet-settings.ts';
import { defaultAllocatableFlags, parseAllocatableFlags } from './resources/node-allocatable.ts';

describe('the configuration that /configz shows', () => {
  it('tells what is reserved, and when Pods are evicted, as it was asked for', () => {
    const settings: Partial<KubeletSettings> = {
      allocatable: parseAllocatableFlags({ ...defaultAllocatableFlags, systemReserved: 'cpu=1500m,memory=1Gi,pid=1000' }, 4),
      eviction: withAllocatableMemory(parseEvictionFlags(defaultEvictionFlags)),
      swapBehavior: 'LimitedSwap',
      ...{ seccompDefault: true, streamingIdleMs: 14_400_000 },
    };
    const shown = kubeletConfiguration(settings as KubeletSettings, 'systemd', { clientCAFile: '/ca.crt', isIssued: true });
    assert.deepEqual([shown['cgroupDriver'], shown['enforceNodeAllocatable']], ['systemd', ['pods']]);
    assert.deepEqual(shown['systemReserved'], { cpu: '1500m', memory: '1Gi', pid: '1k' });
    assert.deepEqual([shown['seccompDefault'], shown['streamingConnectionIdleTimeout']], [true, '4h0m0s']);
    assert.deepEqual([shown['rotateCertificates'], shown['serverTLSBootstrap'], shown['readOnlyPort']], [true, true, 0]);
    assert.deepEqual((shown['authentication'] as { x509: object }).x509, { clientCAFile: '/ca.crt' });
    assert.deepEqual(shown['memorySwap'], { swapBehavior: 'LimitedSwap' });
    assert.deepEqual(shown['evictionHard'], {
      'imagefs.available': '15%',
      'imagefs.inodesFree': '5%',
      'memory.available': '100Mi',
      'nodefs.available': '10%',
      'nodefs.inodesFree': '5%',
    });
  });
});
