import assert from 'node:assert/strict';
import type { HorizontalPodAutoscalerBehavior } from '../../../api/types/autoscaling-v2.ts';
import { decideScaling, type ScalingInput } from './scaling-decision.ts';

const nowMs = 1_000_000_000;
const ago = (seconds: number) => nowMs - seconds * 1000;

type Case = [name: string, input: Partial<ScalingInput>, replicas: number, able: string, limited: string];

const rules = (behavior: HorizontalPodAutoscalerBehavior): Partial<ScalingInput> => ({ behavior });
const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds });
const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds });

const cases: Case[] = [
  ['stays', { desiredReplicas: 3 }, 3, 'ReadyForNewScale', 'False DesiredWithinRange'],
  ['goes up', { desiredReplicas: 5 }, 5, 'ReadyForNewScale', 'False DesiredWithinRange'],
  ['at most doubles', { currentReplicas: 5, desiredReplicas: 50 }, 10, 'ReadyForNewScale', 'True ScaleUpLimit'],
  ['or goes to four', { currentReplicas: 1, desiredReplicas: 50 }, 4, 'ReadyForNewScale', 'True ScaleUpLimit'],
  ['not above the maximum', { desiredReplicas: 9, maxReplicas: 5 }, 5, 'ReadyForNewScale', 'True TooManyReplicas'],
  ['not below the minimum', { desiredReplicas: 0, minReplicas: 2 }, 2, 'ReadyForNewScale', 'True TooFewReplicas'],
  [
    'remembers five minutes',
    {
      desiredReplicas: 1,
      recommendations: [
        { replicas: 3, atMs: ago(299) },
        { replicas: 9, atMs: ago(301) },
      ],
    },
    3,
    'ScaleDownStabilized',
    'False DesiredWithinRange',
  ],
  [
    'rules: waits for the lowest before it goes up',
    { ...rules({ scaleUp: { stabilizationWindowSeconds: 60 } }), desiredReplicas: 8, recommendations: [{ replicas: 4, atMs: ago(30) }] },
    4,
    'ScaleUpStabilized',
    'False DesiredWithinRange',
  ],
  [
    'rules: waits for the highest before it goes down',
    { ...rules({ scaleDown: { stabilizationWindowSeconds: 60 } }), desiredReplicas: 1, recommendations: [{ replicas: 2, atMs: ago(30) }] },
    2,
    'ScaleDownStabilized',
    'False DesiredWithinRange',
  ],
  [
    'rules: so many Pods at a time',
    { ...rules({ scaleUp: { policies: [pods(2)] } }), desiredReplicas: 9 },
    5,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: what was added in the period counts',
    {
      ...rules({ scaleUp: { policies: [pods(2)] } }),
      desiredReplicas: 9,
      scaleUps: [
        { change: 1, atMs: ago(59) },
        { change: 1, atMs: ago(61) },
      ],
    },
    4,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: a rate that is used up takes nothing away',
    { ...rules({ scaleUp: { policies: [pods(2)] } }), desiredReplicas: 9, scaleUps: [{ change: 3, atMs: ago(10) }] },
    3,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: percent, rounded up',
    { ...rules({ scaleUp: { policies: [percent(10)] } }), desiredReplicas: 9 },
    4,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: whole percents',
    { ...rules({ scaleUp: { policies: [percent(10)] } }), currentReplicas: 100, desiredReplicas: 200, maxReplicas: 500 },
    110,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: the most of several',
    { ...rules({ scaleUp: { policies: [pods(1), percent(100)] } }), desiredReplicas: 9 },
    6,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: or the least',
    { ...rules({ scaleUp: { selectPolicy: 'Min', policies: [pods(1), percent(100)] } }), desiredReplicas: 9 },
    4,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: or none',
    { ...rules({ scaleUp: { selectPolicy: 'Disabled' } }), desiredReplicas: 9 },
    3,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: defaults',
    { ...rules({}), currentReplicas: 10, desiredReplicas: 90, maxReplicas: 100 },
    20,
    'ReadyForNewScale',
    'True ScaleUpLimit',
  ],
  [
    'rules: down by Pods',
    { ...rules({ scaleDown: { policies: [pods(1)] } }), currentReplicas: 9, desiredReplicas: 2 },
    8,
    'ReadyForNewScale',
    'True ScaleDownLimit',
  ],
  [
    'rules: down by percent, rounded down',
    { ...rules({ scaleDown: { policies: [percent(50)] } }), currentReplicas: 9, desiredReplicas: 2 },
    4,
    'ReadyForNewScale',
    'True ScaleDownLimit',
  ],
  [
    'rules: the smallest step down',
    { ...rules({ scaleDown: { selectPolicy: 'Min', policies: [pods(1), percent(50)] } }), currentReplicas: 9, desiredReplicas: 2 },
    8,
    'ReadyForNewScale',
    'True ScaleDownLimit',
  ],
  [
    'rules: never down',
    { ...rules({ scaleDown: { selectPolicy: 'Disabled' } }), currentReplicas: 9, desiredReplicas: 2 },
    9,
    'ReadyForNewScale',
    'True ScaleDownLimit',
  ],
  [
    'rules: down to the minimum',
    { ...rules({ scaleDown: { policies: [percent(100)] } }), currentReplicas: 9, desiredReplicas: 0, minReplicas: 2 },
    2,
    'ReadyForNewScale',
    'True TooFewReplicas',
  ],
];

describe('scaling decision', () => {
  for (const [name, input, replicas, able, limited] of cases) {
    it(name, () => {
      const decision = decideScaling({
        ...{ currentReplicas: 3, desiredReplicas: 3, minReplicas: 1, maxReplicas: 20, behavior: undefined, recommendations: [] },
        ...{ scaleUps: [], scaleDowns: [], nowMs },
        ...input,
      });
      const { ableToScale, scalingLimited } = decision;
      assert.deepEqual(
        [decision.replicas, ableToScale.reason, `${scalingLimited.status} ${scalingLimited.reason}`],
        [replicas, able, limited],
      );
    });
  }
});
