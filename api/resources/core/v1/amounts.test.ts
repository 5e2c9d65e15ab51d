import assert from 'node:assert/strict';
import type { Node } from '../../../types/core-v1.ts';
import { created, createErrors } from '../../testing/strategy.ts';
import { limitRanges } from './limit-range.ts';
import { namespaces } from './namespace.ts';
import { nodes } from './node.ts';
import { resourceQuotas } from './resource-quota.ts';

const nameProblem =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

describe('names of resources', () => {
  it('of containers are told everything that is wrong', () => {
    const limits = [{ type: 'Container', max: { 'bad key!': '1' } }];
    assert.deepEqual(createErrors(limitRanges, { spec: { limits } }).slice(0, 2), [
      `spec.limits[0].max[bad key!]: Invalid value: "bad key!": ${nameProblem}`,
      'spec.limits[0].max[bad key!]: Invalid value: "bad key!": must be a standard resource for containers',
    ]);
  });
  it('of claims need not be those of containers', () => {
    const limits = [{ type: 'PersistentVolumeClaim', max: { storage: '1Gi', 'requests.storage': '1Gi' } }];
    assert.deepEqual(createErrors(limitRanges, { spec: { limits } }), []);
  });
  it('of quotas are told everything that is wrong', () => {
    assert.deepEqual(createErrors(resourceQuotas, { spec: { hard: { 'bad key!': '1' } } }), [
      `spec.hard[bad key!]: Invalid value: "bad key!": ${nameProblem}`,
      'spec.hard[bad key!]: Invalid value: "bad key!": must be a standard resource for quota',
    ]);
  });
  it('of finalizers are told everything that is wrong', () => {
    assert.deepEqual(createErrors(namespaces, { metadata: { name: 'x' }, spec: { finalizers: ['bad key!'] } }), [
      `spec.finalizers: Invalid value: "bad key!": ${nameProblem}`,
      'spec.finalizers: Invalid value: "bad key!": name is neither a standard finalizer name nor is it fully qualified',
    ]);
  });
});

describe('ranges of nodes', () => {
  const cases: readonly (readonly [given: Node['spec'], expected: Node['spec']])[] = [
    [{ podCIDR: '10.0.0.0/24' }, { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'] }],
    [{ podCIDRs: ['10.0.0.0/24', 'fd00::/64'] }, { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24', 'fd00::/64'] }],
    [
      { podCIDR: '10.1.0.0/24', podCIDRs: ['10.0.0.0/24', 'fd00::/64'] },
      { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] },
    ],
  ];
  for (const [given, expected] of cases)
    it(JSON.stringify(given), () => assert.deepEqual(created(nodes, { metadata: { name: 'x' }, spec: given }).spec, expected));
  it('are there once', () =>
    assert.deepEqual(createErrors(nodes, { metadata: { name: 'x' }, spec: { podCIDRs: ['10.0.0.0/24', '10.0.0.0/24'] } }), [
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.0.0/24"]: may specify no more than one CIDR for each IP family',
      'spec.podCIDRs[1]: Duplicate value: "10.0.0.0/24"',
    ]));
});
