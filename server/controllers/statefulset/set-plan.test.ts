import assert from 'node:assert/strict';
import type { StatefulSet } from '../../../api/types/apps-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { planSet } from './set-plan.ts';

function pod(ordinal: number, isReady: boolean): Pod {
  const name = `web-${ordinal}`;
  return {
    metadata: {
      name,
      namespace: 'default',
      labels: {
        'statefulset.kubernetes.io/pod-name': name,
        'apps.kubernetes.io/pod-index': String(ordinal),
        'controller-revision-hash': 'one',
      },
    },
    spec: { containers: [{ name: 'c' }], hostname: name },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  };
}

function steps(replicas: number, pods: Pod[], policy: 'OrderedReady' | 'Parallel' = 'OrderedReady'): string[] {
  const set: StatefulSet = {
    metadata: { name: 'web', namespace: 'default' },
    spec: { replicas, podManagementPolicy: policy, selector: {}, serviceName: 'web', template: {} },
  };
  return planSet({ set, pods, currentRevision: 'one', updateRevision: 'one', nowMs: Date.parse('2026-01-01T01:00:00Z') }).map((step) =>
    step.kind === 'create' ? `create ${step.ordinal}` : `${step.kind} ${step.pod.metadata.name}`,
  );
}

describe('planSet', () => {
  const cases: [string, string[], string[]][] = [
    ['goes up one by one', steps(3, [pod(0, true)]), ['create 1']],
    ['waits for the Pod before', steps(3, [pod(0, false)]), []],
    ['goes down from the highest', steps(0, [pod(0, true), pod(1, true), pod(2, true)]), ['delete web-2']],
    ['does not go down past an unhealthy Pod', steps(0, [pod(0, false), pod(1, false), pod(2, false)]), []],
    ['takes the one unhealthy Pod down', steps(0, [pod(0, true), pod(1, true), pod(2, false)]), ['delete web-2']],
    ['waits for nobody in parallel', steps(0, [pod(0, false), pod(1, false)], 'Parallel'), ['delete web-1', 'delete web-0']],
  ];
  for (const [what, actual, expected] of cases) it(what, () => assert.deepEqual(actual, expected));
});
