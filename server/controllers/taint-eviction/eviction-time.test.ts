import assert from 'node:assert/strict';
import type { Pod, Taint, Toleration } from '../../../api/types/core-v1.ts';
import { evictionTimeMs } from './eviction-time.ts';

const nowMs = Date.parse('2026-01-01T12:00:00Z');
const taint = (key: string, effect: Taint['effect'], timeAdded?: string): Taint => ({ key, effect, ...(timeAdded ? { timeAdded } : {}) });

describe('evictionTimeMs', () => {
  const pod = (tolerations: Toleration[]): Pod => ({ metadata: {}, spec: { containers: [], tolerations } });
  const since = '2026-01-01T11:58:00Z';
  const tolerate = (tolerationSeconds?: number): Toleration => ({
    key: 'a',
    operator: 'Exists',
    effect: 'NoExecute',
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  });
  const table: [string, Toleration[], Taint[], number | undefined][] = [
    ['stays without taints', [], [], undefined],
    ['stays beside taints that only keep new ones away', [], [taint('a', 'NoSchedule')], undefined],
    ['goes at once', [], [taint('a', 'NoExecute', since)], nowMs],
    ['stays for ever', [tolerate()], [taint('a', 'NoExecute', since)], undefined],
    ['stays for a time from when the taint came', [tolerate(300)], [taint('a', 'NoExecute', since)], nowMs + 180_000],
    ['goes if it tolerates only one of two', [tolerate(300)], [taint('a', 'NoExecute', since), taint('b', 'NoExecute')], nowMs],
  ];
  for (const [name, tolerations, taints, expected] of table) {
    it(`a Pod ${name}`, () => assert.equal(evictionTimeMs(pod(tolerations), { metadata: {}, spec: { taints } }, nowMs), expected));
  }
});
