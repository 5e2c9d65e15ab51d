import assert from 'node:assert/strict';
import { renderBaseTable } from './base-table.ts';
import { chainDigest, chainKey, elementKey, type Entries, setKey } from './entry.ts';
import { parseTable } from './read-back.ts';
import { RuleState } from './rule-state.ts';
import { renderTransaction } from './transaction.ts';

const entries = (...items: [string, string][]): Entries => new Map(items);

function apply(state: RuleState): string {
  const changes = state.changes();
  state.done(changes);
  return renderTransaction(changes, 'ip kube-proxy');
}

describe('transactions', () => {
  it('make what is pointed at before what points at it, and remove it after', () => {
    const state = new RuleState();
    const affinity = entries(
      [elementKey('service-ips', '10.96.0.1 . tcp . 80'), ': goto service-1'],
      [chainKey('service-1'), 'ip saddr @affinity-1 goto endpoint-1\nnumgen random mod 1 vmap { 0 : goto endpoint-1 }'],
      [chainKey('endpoint-1'), 'update @affinity-1 { ip saddr }\ndnat to 10.244.0.2:80'],
      [setKey('affinity-1'), 'type ipv4_addr;'],
      [elementKey('cluster-ips', '10.96.0.1'), ''],
    );
    state.claim('a', affinity);
    const digest = (name: string) => chainDigest(affinity.get(chainKey(name)) ?? '');
    assert.equal(
      apply(state),
      `add set ip kube-proxy affinity-1 { type ipv4_addr; }
add chain ip kube-proxy endpoint-1
add chain ip kube-proxy service-1
add rule ip kube-proxy endpoint-1 update @affinity-1 { ip saddr } comment "${digest('endpoint-1')}"
add rule ip kube-proxy endpoint-1 dnat to 10.244.0.2:80
add rule ip kube-proxy service-1 ip saddr @affinity-1 goto endpoint-1 comment "${digest('service-1')}"
add rule ip kube-proxy service-1 numgen random mod 1 vmap { 0 : goto endpoint-1 }
add element ip kube-proxy service-ips { 10.96.0.1 . tcp . 80 : goto service-1 }
add element ip kube-proxy cluster-ips { 10.96.0.1 }
`,
    );
    assert.equal(apply(state), '');
    state.claim('a', entries([elementKey('cluster-ips', '10.96.0.1'), '']));
    assert.equal(
      apply(state),
      `delete element ip kube-proxy service-ips { 10.96.0.1 . tcp . 80 }
flush chain ip kube-proxy service-1
flush chain ip kube-proxy endpoint-1
delete chain ip kube-proxy service-1
delete chain ip kube-proxy endpoint-1
delete set ip kube-proxy affinity-1
`,
    );
  });

  it('change elements by taking them away and putting them back', () => {
    const state = new RuleState();
    const key = elementKey('service-endpoints', '10.96.0.1 . tcp . 80 . 0');
    state.claim('a', entries([key, ': 10.244.0.2 . 80']));
    apply(state);
    state.claim('a', entries([key, ': 10.244.0.3 . 80']));
    assert.equal(
      apply(state),
      `delete element ip kube-proxy service-endpoints { 10.96.0.1 . tcp . 80 . 0 }
add element ip kube-proxy service-endpoints { 10.96.0.1 . tcp . 80 . 0 : 10.244.0.3 . 80 }
`,
    );
  });
});

describe('the state of rules', () => {
  const key = elementKey('service-ips', '10.96.0.1 . tcp . 80');

  it('lets the earlier of two claims hold until it is withdrawn', () => {
    const state = new RuleState();
    state.claim('old', entries([key, ': goto a']));
    apply(state);
    state.claim('new', entries([key, ': goto b']));
    assert.deepEqual(state.changes(), []);
    state.claim('old', new Map());
    assert.deepEqual(state.changes(), [{ key, actual: ': goto a', desired: ': goto b' }]);
  });

  it('starts from what the kernel holds', () => {
    const state = new RuleState();
    const chain = chainKey('endpoints-1');
    state.claim('a', entries([key, ': goto a'], [chain, 'drop']));
    const other = elementKey('cluster-ips', '10.96.0.9');
    state.observe(entries([key, ': goto a'], [other, ''], [chain, chainDigest('drop')]));
    assert.deepEqual(state.changes(), [{ key: other, actual: '' }]);
    state.observe(entries([chain, chainDigest('accept')]));
    assert.deepEqual(
      state.changes().map(({ key: changed }) => changed),
      [chain, key],
    );
  });

  it('keeps changes until they are done', () => {
    const state = new RuleState();
    state.claim('a', entries([key, ': goto a']));
    assert.equal(state.changes().length, 1);
    const changes = state.changes();
    state.claim('a', entries([key, ': goto b'])); // while a transaction runs
    state.done(changes);
    assert.deepEqual(state.changes(), [{ key, actual: ': goto a', desired: ': goto b' }]);
  });
});

describe('reading back', () => {
  const of = (...nftables: object[]) => parseTable(JSON.stringify({ nftables: [{ metainfo: {} }, ...nftables] }));
  const comment = /comment "([^"]+)"/.exec(renderBaseTable(['10.244.0.0/16'], 'IPv4'))?.[1] ?? '';

  it('tells nothing, own and foreign tables apart', () => {
    assert.deepEqual(of(), { state: 'absent' });
    assert.deepEqual(of({ table: { name: 'kube-proxy', comment: 'rules for kube-proxy' } }), { state: 'foreign' });
    assert.deepEqual(of({ table: { name: 'kube-proxy', comment } }), { state: 'ours', entries: new Map(), clients: [] });
  });

  it('finds elements as they were written, and chains by their digest', () => {
    const found = of(
      { table: { name: 'kube-proxy', comment } },
      { chain: { name: 'services' } },
      { chain: { name: 'endpoints-1' } },
      { chain: { name: 'endpoints-2' } },
      { set: { name: 'cluster-ips', elem: ['10.96.0.1'] } },
      {
        map: {
          name: 'affinity',
          elem: [[{ elem: { val: { concat: ['192.0.2.9', '10.96.0.1', 'tcp', 80] } } }, { concat: ['10.244.0.2', 8080] }]],
        },
      },
      { set: { name: 'affinity-1', elem: [{ elem: { val: '10.244.0.2', expires: 5 } }] } },
      {
        map: {
          name: 'service-ips',
          map: 'verdict',
          elem: [[{ elem: { val: { concat: ['10.96.0.1', 'tcp', 80] }, comment: 'default/web' } }, { goto: { target: 'endpoints-1' } }]],
        },
      },
      { map: { name: 'no-endpoint-services', map: 'verdict', elem: [[{ concat: ['10.96.0.1', 'udp', 53] }, { drop: null }]] } },
      {
        map: {
          name: 'service-endpoints',
          map: ['ipv4_addr', 'inet_service'],
          elem: [[{ concat: ['10.96.0.1', 'tcp', 80, 0] }, { concat: ['10.244.0.2', 8080] }]],
        },
      },
      { rule: { chain: 'services', expr: [] } },
      { rule: { chain: 'endpoints-1', comment: 'abc/1', expr: [] } },
      { rule: { chain: 'endpoints-2', comment: 'abc/2', expr: [] } },
    );
    assert.deepEqual(found, {
      state: 'ours',
      entries: entries(
        [chainKey('endpoints-1'), 'abc/1'],
        [chainKey('endpoints-2'), ''],
        [elementKey('cluster-ips', '10.96.0.1'), ''],
        [setKey('affinity-1'), ''],
        [elementKey('service-ips', '10.96.0.1 . tcp . 80'), 'comment "default/web" : goto endpoints-1'],
        [elementKey('no-endpoint-services', '10.96.0.1 . udp . 53'), ': drop'],
        [elementKey('service-endpoints', '10.96.0.1 . tcp . 80 . 0'), ': 10.244.0.2 . 8080'],
      ),
      clients: [
        { key: '192.0.2.9 . 10.96.0.1 . tcp . 80', front: '10.96.0.1 . tcp . 80', nodePort: 'tcp . 80', endpoint: '10.244.0.2 . 8080' },
      ],
    });
  });
});
