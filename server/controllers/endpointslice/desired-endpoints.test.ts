import assert from 'node:assert/strict';
import type { Pod, Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { planSlices } from '../runtime/endpoint-slices/slice-plan.ts';
import { desiredEndpoints, isStranded, sliceOwnerOf } from './desired-endpoints.ts';

const service: Service = {
  metadata: { namespace: 'default', name: 'web', uid: 's1', labels: { app: 'web' } },
  spec: { selector: { app: 'web' }, clusterIP: '10.96.0.7', ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
};

function pod(name: string, rest: { ready?: boolean; deleted?: boolean; port?: number; ip?: string; phase?: string } = {}): Pod {
  const { ready = true, deleted = false, port = 8080, ip = `10.0.0.${name.slice(1)}`, phase = 'Running' } = rest;
  return {
    metadata: { namespace: 'default', name, uid: `uid-${name}`, ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }] },
    status: {
      phase: phase as 'Running',
      podIP: ip,
      podIPs: ip === '' ? [] : [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

const findNode = (name: string) => (name === 'n1' ? { zone: 'z1' } : undefined);
const plan = (pods: Pod[], existing: EndpointSlice[] = [], of = service) =>
  planSlices(sliceOwnerOf(of), 'IPv4', desiredEndpoints(of, pods, 'IPv4', findNode), existing);
const named = (slice: EndpointSlice, name: string): EndpointSlice => {
  const { generateName: _prefix, ...metadata } = slice.metadata;
  return { ...slice, metadata: { ...metadata, name, resourceVersion: '1' } };
};
const first = (slices: readonly EndpointSlice[]): EndpointSlice => slices[0] ?? assert.fail('no slice');

describe('planSlices', () => {
  it('makes a slice as upstream makes it', () => {
    assert.deepEqual(plan([pod('p1')]), {
      create: [
        {
          addressType: 'IPv4',
          endpoints: [
            {
              addresses: ['10.0.0.1'],
              conditions: { ready: true, serving: true, terminating: false },
              targetRef: { kind: 'Pod', namespace: 'default', name: 'p1', uid: 'uid-p1' },
              nodeName: 'n1',
              zone: 'z1',
            },
          ],
          metadata: {
            generateName: 'web-',
            namespace: 'default',
            labels: {
              app: 'web',
              'kubernetes.io/service-name': 'web',
              'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
            },
            ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 's1', controller: true, blockOwnerDeletion: true }],
          },
          ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        },
      ],
      update: [],
      delete: [],
    });
  });

  const conditions: [string, Pod, boolean, unknown][] = [
    ['not ready', pod('p1', { ready: false }), false, { ready: false, serving: false, terminating: false }],
    ['terminating and still serving', pod('p1', { deleted: true }), false, { ready: false, serving: true, terminating: true }],
    ['not ready but published', pod('p1', { ready: false }), true, { ready: true, serving: true, terminating: false }],
    ['finished', pod('p1', { phase: 'Succeeded' }), false, undefined],
    ['without address', pod('p1', { ip: '' }), false, undefined],
  ];
  for (const [name, one, publishNotReadyAddresses, expected] of conditions) {
    it(`a Pod that is ${name}`, () => {
      const of: Service = { ...service, spec: { ...service.spec, publishNotReadyAddresses } };
      assert.deepEqual(first(plan([one], [], of).create).endpoints?.[0]?.conditions, expected);
    });
  }

  it('leaves a right slice alone', () => {
    const slice = named(first(plan([pod('p1'), pod('p2')]).create), 'web-abc');
    assert.deepEqual(plan([pod('p2'), pod('p1')], [slice]), { create: [], update: [], delete: [] });
  });

  it('changes the slice that has the endpoint', () => {
    const slice = named(first(plan([pod('p1'), pod('p2')]).create), 'web-abc');
    const { create, update, delete: deleted } = plan([pod('p1', { ready: false }), pod('p2'), pod('p3')], [slice]);
    assert.deepEqual([create, deleted], [[], []]);
    assert.deepEqual(
      first(update).endpoints?.map(({ targetRef, conditions: state }) => [targetRef?.name, state?.ready]),
      [
        ['p1', false],
        ['p2', true],
        ['p3', true],
      ],
    );
    assert.equal(first(update).metadata.resourceVersion, '1');
  });

  it('splits by hundred, and by ports', () => {
    const many = Array.from({ length: 250 }, (_, index) => pod(`p${index}`));
    assert.deepEqual(
      plan(many).create.map((slice) => slice.endpoints?.length),
      [100, 100, 50],
    );
    const { create } = plan([pod('p1'), pod('p2', { port: 9090 })]);
    assert.deepEqual(
      create.map((slice) => slice.ports?.[0]?.port),
      [8080, 9090],
    );
  });

  it('keeps an empty slice where there are no endpoints', () => {
    const { create } = plan([]);
    assert.deepEqual([first(create).endpoints, first(create).ports], [[], []]);
    const empty = named(first(create), 'web-abc');
    assert.deepEqual(plan([], [empty]), { create: [], update: [], delete: [] });
  });

  it('writes a slice anew rather than deleting it and creating another', () => {
    const slice = named(first(plan([pod('p1')]).create), 'web-abc');
    const gone = plan([], [slice]);
    assert.deepEqual([gone.create, gone.delete], [[], []]);
    assert.deepEqual([first(gone.update).metadata.name, first(gone.update).endpoints], ['web-abc', []]);
    const changed = plan([pod('p1', { port: 9090 })], [slice]);
    assert.deepEqual([changed.create, changed.delete, first(changed.update).ports?.[0]?.port], [[], [], 9090]);
  });

  it('marks slices of headless Services', () => {
    const of: Service = { ...service, spec: { ...service.spec, clusterIP: 'None' } };
    assert.equal(first(plan([pod('p1')], [], of).create).metadata.labels?.['service.kubernetes.io/headless'], '');
  });

  it('leaves out Pods whose node is not there, unless all are to be published', () => {
    const stranded = pod('p1');
    stranded.spec = { ...stranded.spec, nodeName: 'n2', containers: [] };
    const of: Service = { ...service, spec: { ...service.spec, ports: [{ port: 80 }] } };
    assert.deepEqual(first(plan([stranded], [], of).create).endpoints, []);
    assert.equal(isStranded(of, stranded, findNode), true);
    const publishing: Service = { ...of, spec: { ...of.spec, publishNotReadyAddresses: true } };
    assert.deepEqual(
      first(plan([stranded], [], publishing).create).endpoints?.map(({ nodeName, zone }) => [nodeName, zone]),
      [['n2', undefined]],
    );
    assert.equal(isStranded(publishing, stranded, findNode), false);
    assert.equal(
      isStranded(of, pod('p1', { phase: 'Failed' }), () => undefined),
      false,
    );
  });

  const distributions: [string | undefined, Record<string, string>, unknown][] = [
    [undefined, {}, undefined],
    ['PreferClose', {}, { forZones: [{ name: 'z1' }] }],
    ['PreferSameZone', {}, { forZones: [{ name: 'z1' }] }],
    ['PreferSameNode', {}, { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] }],
    ['PreferSameNode', { 'service.kubernetes.io/topology-mode': 'Auto' }, undefined],
    ['PreferSameZone', { 'service.kubernetes.io/topology-mode': 'Disabled' }, { forZones: [{ name: 'z1' }] }],
  ];
  for (const [trafficDistribution, annotations, hints] of distributions) {
    it(`hints by trafficDistribution ${trafficDistribution} with annotations ${JSON.stringify(annotations)}`, () => {
      const spec = { ...service.spec, ...(trafficDistribution === undefined ? {} : { trafficDistribution }) };
      const { create } = plan([pod('p1'), pod('p2', { ready: false })], [], { metadata: { ...service.metadata, annotations }, spec });
      assert.deepEqual(
        first(create).endpoints?.map((endpoint) => endpoint.hints),
        [hints, undefined],
      );
    });
  }

  it('leaves out Pods that lack the named port', () => {
    const other = pod('p1');
    other.spec = { nodeName: 'n1', containers: [{ name: 'c' }] };
    assert.deepEqual(first(plan([other]).create).endpoints, []);
  });
});
