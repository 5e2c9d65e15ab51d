import assert from 'node:assert/strict';
import type { Pod, Service } from '../../../api/types/core-v1.ts';
import { TriggerTimes } from './trigger-times.ts';

const at = (seconds: number) => `2026-01-01T00:00:${String(seconds).padStart(2, '0')}Z`;
const base = Date.parse(at(0));
const service: Service = { metadata: { name: 'web', creationTimestamp: at(1) } };
const pod = (name: string, seconds: number | undefined): Pod => ({
  metadata: { name },
  status: { conditions: seconds === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: at(seconds) }] },
});

describe('trigger times of endpoints', () => {
  const times = new TriggerTimes();
  const next = (pods: Pod[], of = service) => {
    const time = times.next('ns/web', of, pods);
    return time === undefined ? undefined : (time - base) / 1000;
  };

  it('are first that of the Service', () => assert.equal(next([pod('a', 5)]), 1));
  it('are none while nothing has changed', () => assert.equal(next([pod('a', 5), pod('new', undefined)]), undefined));
  it('are the earliest of Pods that have changed', () => assert.equal(next([pod('a', 9), pod('b', 7), pod('c', 8)]), 7));
  it('are none for Pods that are gone', () => assert.equal(next([pod('b', 7)]), undefined));
  it('are those of a Service that was made anew', () =>
    assert.equal(next([pod('b', 7)], { metadata: { name: 'web', creationTimestamp: at(20) } }), 20));
  it('begin again where they were forgotten', () => {
    times.forget('ns/web');
    assert.equal(next([pod('b', 7)]), 1);
  });
});
