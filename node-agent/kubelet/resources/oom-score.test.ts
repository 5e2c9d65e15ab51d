import assert from 'node:assert/strict';
import type { Container, Pod, PodSpec } from '../../../api/types/core-v1.ts';
import { oomScoreAdj } from './pod-resources.ts';

const mebi = 1 << 20;
const machineBytes = 1000 * mebi;
const containerOf = (name: string, memory?: string, more: Partial<Container> = {}): Container => ({
  ...{ name, ...more },
  ...(memory === undefined ? {} : { resources: { requests: { memory } } }),
});

describe('the OOM score of a container', () => {
  const sidecar = (memory?: string) => containerOf('side', memory, { restartPolicy: 'Always' });
  const cases: [name: string, spec: PodSpec, container: string, score: number][] = [
    ['nothing requested', { containers: [containerOf('c')] }, 'c', 1000],
    ['a tenth of the memory', { containers: [containerOf('c', '100Mi')] }, 'c', 900],
    ['next to nothing', { containers: [containerOf('c', '1')] }, 'c', 999],
    ['all of it', { containers: [containerOf('c', '1000Mi')] }, 'c', 3],
    ['a critical Pod', { containers: [containerOf('c', '1')], priority: 2_000_001_000 }, 'c', -997],
    [
      'a sidecar that requests less than what it serves',
      { containers: [containerOf('c', '300Mi'), containerOf('d', '200Mi')], initContainers: [sidecar('10Mi')] },
      'side',
      800,
    ],
    ['a sidecar that requests more', { containers: [containerOf('c', '100Mi')], initContainers: [sidecar('200Mi')] }, 'side', 800],
    ['another init container', { containers: [containerOf('c', '300Mi')], initContainers: [containerOf('init', '10Mi')] }, 'init', 990],
    [
      'its part of what the Pod requests as a whole',
      { containers: [containerOf('c', '100Mi'), containerOf('d')], resources: { requests: { memory: '300Mi' } } },
      'c',
      800,
    ],
    [
      'the same without a request of its own',
      { containers: [containerOf('c', '100Mi'), containerOf('d')], resources: { requests: { memory: '300Mi' } } },
      'd',
      900,
    ],
  ];
  for (const [name, spec, container, score] of cases) {
    it(name, () => {
      const pod: Pod = { metadata: {}, spec };
      const found = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].find((one) => one.name === container);
      assert.ok(found);
      assert.equal(oomScoreAdj(pod, found, machineBytes), score);
    });
  }
});
