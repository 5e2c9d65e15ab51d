import assert from 'node:assert/strict';
import { podLimits, podRequests } from './pod-resources.ts';
import { computeQOSClass } from './qos-class.ts';
import { formatResourceList } from './resource-list.ts';

const container = (name: string, cpu: string, extra = {}) => ({ name, resources: { requests: { cpu } }, ...extra });

describe('pod resources', () => {
  it('main containers add up; an init container counts where it needs more', () => {
    const pod = {
      metadata: {},
      spec: { containers: [container('a', '100m'), container('b', '200m')], initContainers: [container('i', '250m')] },
    };
    assert.deepEqual(formatResourceList(podRequests(pod)), { cpu: '300m' });
    const greedy = { ...pod, spec: { ...pod.spec, initContainers: [container('i', '1')] } };
    assert.deepEqual(formatResourceList(podRequests(greedy)), { cpu: '1' });
  });

  it('sidecars run beside the main containers and the init containers after them', () => {
    const sidecar = container('s', '100m', { restartPolicy: 'Always' });
    const spec = { containers: [container('a', '200m')], initContainers: [container('i', '250m'), sidecar, container('j', '500m')] };
    assert.deepEqual(formatResourceList(podRequests({ metadata: {}, spec })), { cpu: '600m' });
  });

  it('overhead is added; to limits only where there is one', () => {
    const spec = {
      containers: [{ name: 'a', resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } }],
      overhead: { cpu: '100m', memory: '10Mi' },
    };
    assert.deepEqual(formatResourceList(podRequests({ metadata: {}, spec })), { cpu: '1100m', memory: '10Mi' });
    assert.deepEqual(formatResourceList(podLimits({ metadata: {}, spec })), { cpu: '2100m' });
    assert.deepEqual(formatResourceList(podRequests({ metadata: {}, spec }, { withoutOverhead: true })), { cpu: '1' });
  });

  it('resources of the whole Pod take the place of the sum', () => {
    const spec = { containers: [container('a', '200m')], resources: { requests: { cpu: '1' } } };
    assert.deepEqual(formatResourceList(podRequests({ metadata: {}, spec })), { cpu: '1' });
  });
});

describe('QoS class', () => {
  const whole = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1024Mi' } };
  const cases = [
    ['Guaranteed', [{ name: 'a', resources: whole }]],
    ['Burstable', [{ name: 'a', resources: whole }, { name: 'b' }]],
    ['Burstable', [{ name: 'a', resources: { limits: whole.limits } }]],
    ['Burstable', [{ name: 'a', resources: { requests: { cpu: '1' } } }]],
    ['BestEffort', [{ name: 'a' }]],
    ['BestEffort', [{ name: 'a', resources: { requests: { 'nvidia.com/gpu': '1' } } }]],
  ] as const;
  for (const [index, [expected, containers]] of cases.entries()) {
    it(`${expected} (case ${index})`, () => assert.equal(computeQOSClass({ containers }), expected));
  }
  it('is that of the Pod as a whole, where that says anything', () => {
    const containers = [{ name: 'a', resources: { requests: { cpu: '1' } } }];
    assert.equal(computeQOSClass({ containers, resources: whole }), 'Guaranteed');
    assert.equal(computeQOSClass({ containers, resources: {} }), 'Burstable');
  });
});
