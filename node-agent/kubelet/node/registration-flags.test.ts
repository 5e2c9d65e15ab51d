import assert from 'node:assert/strict';
import { parseNodeLabels, parseTaints } from './registration-flags.ts';

describe('--node-labels', () => {
  it('are pairs', () => {
    assert.deepEqual(parseNodeLabels(''), {});
    assert.deepEqual(parseNodeLabels('disk=ssd,topology.kubernetes.io/zone=a,x.node.kubernetes.io/y='), {
      disk: 'ssd',
      'topology.kubernetes.io/zone': 'a',
      'x.node.kubernetes.io/y': '',
    });
  });
  for (const [text, message] of [
    ['disk', /malformed pair, expect string=string/],
    [
      'node-role.kubernetes.io/worker=',
      /^Error: unknown 'kubernetes\.io' or 'k8s\.io' labels specified with --node-labels: \[node-role\.kubernetes\.io\/worker\]/,
    ],
    ['a b=c', /invalid node labels: 'a b' - name part must consist of/],
    ['a=b c', /invalid node labels: 'b c' - a valid label must/],
  ] as const) {
    it(`refuse ${text}`, () => assert.throws(() => parseNodeLabels(text), message));
  }
});

describe('--register-with-taints', () => {
  it('are key, value and effect', () => {
    assert.deepEqual(parseTaints('dedicated=db:NoSchedule,spot:PreferNoSchedule'), [
      { key: 'dedicated', value: 'db', effect: 'NoSchedule' },
      { key: 'spot', effect: 'PreferNoSchedule' },
    ]);
  });
  for (const [text, message] of [
    ['a=b', /invalid taint spec: a=b/],
    ['a=b=c:NoSchedule', /invalid taint spec/],
    ['a:Never', /invalid taint effect: Never, unsupported taint effect/],
    ['a b:NoExecute', /invalid taint spec: a b:NoExecute, name part/],
  ] as const) {
    it(`refuse ${text}`, () => assert.throws(() => parseTaints(text), message));
  }
});
