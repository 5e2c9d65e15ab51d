import assert from 'node:assert/strict';
import { updateErrors } from '../../testing/strategy.ts';
import { jobs } from './job.ts';

const job = (status: object) => ({
  metadata: { name: 'j', namespace: 'n' },
  spec: {
    completions: 3,
    completionMode: 'Indexed',
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } },
  },
  status,
});
const holds = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
const started = '2026-01-01T00:00:00Z';

describe('the status of a Job', () => {
  const cases: [name: string, before: object, after: object, errors: string[]][] = [
    ['more ready than active', {}, { ready: 2, active: 1 }, ['status.ready: Invalid value: 2: cannot set more ready pods than active']],
    ['a counter going back', { failed: 2 }, { failed: 1 }, ['status.failed: Invalid value: 1: cannot decrease the failed counter']],
    [
      'a Pod counted twice',
      {},
      { uncountedTerminatedPods: { succeeded: ['a'], failed: ['a', ''] } },
      [
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
        'status.uncountedTerminatedPods.failed[1]: Invalid value: "": must not be empty',
      ],
    ],
    [
      'an end without its beginning',
      {},
      { conditions: holds('Failed') },
      [
        'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
        'status.startTime: Required value: startTime is required for finished job',
      ],
    ],
    [
      'a completion without its time',
      {},
      { startTime: started, conditions: holds('Complete', 'SuccessCriteriaMet') },
      ['status.completionTime: Required value: completionTime is required for Complete jobs'],
    ],
    [
      'a time before the start',
      {},
      { startTime: started, completionTime: '2025-01-01T00:00:00Z', conditions: holds('Complete', 'SuccessCriteriaMet') },
      ['status.completionTime: Invalid value: "2025-01-01T00:00:00Z": completionTime cannot be set before startTime'],
    ],
    [
      'indexes out of range',
      {},
      { completedIndexes: '1,7' },
      ['status.completedIndexes: Invalid value: "1,7": error parsing completedIndexes: too large index: "7"'],
    ],
    [
      'an end, well told',
      { startTime: started },
      { startTime: started, completionTime: started, conditions: holds('Complete', 'SuccessCriteriaMet') },
      [],
    ],
  ];
  for (const [name, before, after, errors] of cases)
    it(name, () => assert.deepEqual(updateErrors(jobs, job(before), job(after), 'status'), errors));
});
