import assert from 'node:assert/strict';
import type { Node, Service } from '../../../api/types/core-v1.ts';
import type { Endpoint, EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { type EndpointGroup, portsKey, type SliceOwner } from '../runtime/endpoint-slices/slice-plan.ts';
import { HintedServices } from './hinted-services.ts';
import { planHintedSlices } from './plan-hinted-slices.ts';
import { hasTopologyHints, planTopologyHints, type TopologyHints } from './topology-hints.ts';
import { allocateToZones, isOverloaded } from './zone-allocation.ts';
import { zoneShares } from './zone-shares.ts';

interface NodeFacts {
  readonly zone?: string;
  readonly cpu?: string;
  readonly ready?: boolean;
  readonly labels?: Record<string, string>;
}

function node({ zone = 'a', cpu = '1', ready = true, labels = {} }: NodeFacts): Node {
  return {
    metadata: { name: 'n', labels: { ...(zone === '' ? {} : { 'topology.kubernetes.io/zone': zone }), ...labels } },
    status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

describe('the zones’ shares of processors', () => {
  const cases: [name: string, nodes: NodeFacts[], expected: [string, number][] | undefined][] = [
    [
      'are those of ready nodes',
      [{}, { zone: 'b', cpu: '2500m' }, { cpu: '500m' }, { zone: 'b', cpu: '8', ready: false }],
      [
        ['a', 0.375],
        ['b', 0.625],
      ],
    ],
    [
      'leave the control plane out',
      [{ labels: { 'node-role.kubernetes.io/control-plane': '' }, zone: '' }, {}, { zone: 'b' }],
      [
        ['a', 0.5],
        ['b', 0.5],
      ],
    ],
    ['are unknown with a node without a zone', [{}, { zone: 'b' }, { zone: '' }], undefined],
    ['are unknown with a node without processors', [{}, { zone: 'b' }, { cpu: '0' }], undefined],
    ['are unknown where there is one zone', [{}, {}], undefined],
    ['are unknown without nodes', [], undefined],
  ];
  for (const [name, nodes, expected] of cases) {
    it(name, () => assert.deepEqual(zoneShares(nodes.map(node)), expected && new Map(expected)));
  }
});

const shares = (...parts: number[]) => new Map(parts.map((part, index) => ['abc'[index] ?? '', part]));

describe('the allocation of endpoints to zones', () => {
  it('gives each its part, with a fifth more at most for an endpoint', () => {
    assert.deepEqual(
      allocateToZones(10, shares(0.5, 0.5)),
      new Map([
        ['a', { minimum: 5, maximum: 5, desired: 5 }],
        ['b', { minimum: 5, maximum: 5, desired: 5 }],
      ]),
    );
    assert.deepEqual(
      allocateToZones(20, shares(0.3, 0.7)),
      new Map([
        ['a', { minimum: 5, maximum: 8, desired: 6 }],
        ['b', { minimum: 12, maximum: 15, desired: 14 }],
      ]),
    );
  });

  it('says why there can be none', () => {
    assert.equal(
      allocateToZones(3, undefined),
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    );
    assert.equal(allocateToZones(2, shares(0.4, 0.3, 0.3)), 'Insufficient number of endpoints (2 endpoints, 3 zones)');
    assert.equal(
      allocateToZones(2, shares(0.9, 0.1)),
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (2 endpoints, 2 zones)',
    );
  });

  it('is over when a zone has too few', () => {
    const counts = new Map([
      ['a', 5],
      ['b', 5],
    ]);
    assert.equal(isOverloaded(counts, shares(0.5, 0.5)), false);
    assert.equal(isOverloaded(counts, shares(0.6, 0.4)), false);
    assert.equal(isOverloaded(counts, shares(0.61, 0.39)), true);
    assert.equal(isOverloaded(counts, shares(0.4, 0.4, 0.2)), true);
    assert.equal(isOverloaded(counts, undefined), true);
    assert.equal(isOverloaded(new Map(), undefined), false);
    const services = new HintedServices();
    services.set('ns/web', 'IPv4', counts);
    assert.deepEqual([services.overloaded(shares(0.5, 0.5)), services.overloaded(undefined)], [[], ['ns/web']]);
    services.delete('ns/web', 'IPv4');
    assert.deepEqual([services.overloaded(undefined), services.has('ns/web')], [[], false]);
  });
});

let serial = 0;
/** `a`: in zone a. `a>b`: in a with a hint for b. `a!`: not ready. `-`: without a zone. */
const endpoints = (text: string): Endpoint[] =>
  text.split(' ').map((word) => ({
    addresses: [`10.0.0.${(serial = (serial + 1) % 250)}`],
    conditions: { ready: !word.endsWith('!') },
    ...(word.startsWith('-') ? {} : { zone: word[0] ?? '' }),
    ...(word.includes('>') ? { hints: { forZones: [{ name: word.slice(2) }] } } : {}),
  }));
const told = (hints: TopologyHints) =>
  'problem' in hints ? hints.problem : { zones: [...hints.zones.values()].join(' '), counts: Object.fromEntries([...hints.counts].sort()) };

describe('hints by topology', () => {
  const cases: [name: string, written: string[], unwritten: string[], of: ReturnType<typeof shares>, expected: unknown][] = [
    ['are for the endpoint’s own zone', ['a b a b'], [], shares(0.5, 0.5), { zones: 'a b a b', counts: { a: 2, b: 2 } }],
    ['give what a zone has too much', ['a a a a'], [], shares(0.5, 0.5), { zones: 'b b a a', counts: { a: 2, b: 2 } }],
    ['follow shares', ['a a b b b b'], [], shares(0.75, 0.25), { zones: 'a a a a b b', counts: { a: 4, b: 2 } }],
    ['go to three zones', ['a a a a a a'], [], shares(0.34, 0.33, 0.33), { zones: 'b b c c a a', counts: { a: 2, b: 2, c: 2 } }],
    ['leave slices that fit', ['a'], ['a>a b>b b>b'], shares(0.5, 0.5), { zones: 'a', counts: { a: 2, b: 2 } }],
    ['change slices that do not fit', [], ['a>a a>a a>a b>b'], shares(0.5, 0.5), { zones: 'b a a b', counts: { a: 2, b: 2 } }],
    ['change slices for zones that are gone', [], ['a>a b>c'], shares(0.5, 0.5), { zones: 'a b', counts: { a: 1, b: 1 } }],
    ['leave out what is not ready', ['a b a!'], ['b!'], shares(0.5, 0.5), { zones: 'a b', counts: { a: 1, b: 1 } }],
    ['need a zone for each', ['a b - a'], [], shares(0.5, 0.5), 'One or more endpoints do not have a zone specified'],
    ['need enough endpoints', ['a b! b!'], [], shares(0.5, 0.5), 'Insufficient number of endpoints (1 endpoints, 2 zones)'],
  ];
  for (const [name, written, unwritten, of, expected] of cases) {
    it(name, () => assert.deepEqual(told(planTopologyHints(written.map(endpoints), unwritten.map(endpoints), of)), expected));
  }

  it('are asked for by an annotation', () => {
    const asks = (annotations: Record<string, string>) => hasTopologyHints({ metadata: { annotations } } satisfies Service);
    const [mode, old] = ['service.kubernetes.io/topology-mode', 'service.kubernetes.io/topology-aware-hints'];
    assert.deepEqual([{ [mode]: 'Auto' }, { [old]: 'auto' }].map(asks), [true, true]);
    assert.deepEqual([{}, { [mode]: 'AUTO' }, { [mode]: 'Auto', [old]: 'Disabled' }].map(asks), [false, false, false]);
  });

  const owner: SliceOwner = {
    ...{ namespace: 'default', name: 'web', labels: {}, keepsEmptySlice: true },
    reference: { apiVersion: 'v1', kind: 'Service', name: 'web', uid: 's1', controller: true, blockOwnerDeletion: true },
  };
  const groupsOf = (all: Endpoint[]): Map<string, EndpointGroup> => new Map([[portsKey([]), { ports: [], endpoints: all }]]);
  const plain = (all: readonly Endpoint[]): Endpoint[] => all.map(({ hints: _, ...endpoint }) => endpoint);
  const hintsOf = (slice: EndpointSlice | undefined) => slice?.endpoints?.map(({ hints }) => hints?.forZones?.[0]?.name).join();

  it('are written with slices, once, and taken away when they cannot be', () => {
    const all = endpoints('a a a a');
    const first = planHintedSlices(owner, 'IPv4', groupsOf(plain(all)), [], shares(0.5, 0.5)).plan;
    assert.equal(hintsOf(first.create[0]), 'b,b,a,a');
    const made = first.create.map(({ metadata, ...slice }) => ({ ...slice, metadata: { ...metadata, name: 'web-1' } }));
    const again = planHintedSlices(owner, 'IPv4', groupsOf(plain(all)), made, shares(0.5, 0.5));
    assert.deepEqual(again.plan, { create: [], update: [], delete: [] });
    const moved = planHintedSlices(owner, 'IPv4', groupsOf(plain(all)), made, shares(0.75, 0.25)).plan;
    assert.equal(hintsOf(moved.update[0]), 'b,a,a,a');
    const without = planHintedSlices(owner, 'IPv4', groupsOf(plain(all)), made, undefined);
    assert.equal(hintsOf(without.plan.update[0]), ',,,');
    assert.equal('problem' in without.hints, true);
  });
});
