import assert from 'node:assert/strict';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { Service, ServiceSpec } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { clusterAddress, resolveService } from './resolve-service.ts';

const service = (spec: ServiceSpec): Service => ({ metadata: { namespace: 'ns', name: 'x' }, spec });
const slice = (
  addressType: 'FQDN' | 'IPv4' | 'IPv6',
  addresses: readonly (readonly [string, boolean?])[],
  ports = { https: 8443 },
): EndpointSlice => ({
  metadata: { name: 'x-1' },
  addressType,
  ports: Object.entries(ports).map(([name, port]) => ({ name, port })),
  endpoints: addresses.map(([address, ready]) => ({ addresses: [address], conditions: ready === undefined ? {} : { ready } })),
});
const https: ServiceSpec = {
  ipFamilies: ['IPv4'],
  ports: [
    { name: 'http', port: 80 },
    { name: 'https', port: 443, targetPort: 8443 },
  ],
};

describe('where Services lead', () => {
  const random = createSeededRandom(1);
  const chosen = (spec: ServiceSpec, slices: readonly EndpointSlice[], port = 443): readonly string[] => {
    const found = Array.from({ length: 100 }, () => resolveService(service(spec), slices, port, random));
    return [...new Set(found.map((endpoint) => `${endpoint.host} ${endpoint.port}`))].sort();
  };

  const cases: readonly (readonly [what: string, spec: ServiceSpec, slices: readonly EndpointSlice[], expected: readonly string[]])[] = [
    [
      'each ready endpoint, by the port that the slice has',
      https,
      [slice('IPv4', [['10.0.0.1'], ['10.0.0.2', true], ['10.0.0.3', false]])],
      ['10.0.0.1 8443', '10.0.0.2 8443'],
    ],
    [
      'endpoints of all slices, each with its own port',
      https,
      [slice('IPv4', [['10.0.0.1']]), slice('IPv4', [['10.0.0.2']], { https: 9443 })],
      ['10.0.0.1 8443', '10.0.0.2 9443'],
    ],
    ['the first family of the Service', https, [slice('IPv4', [['10.0.0.1']]), slice('IPv6', [['fd00::1']])], ['10.0.0.1 8443']],
    [
      'the other family where the first has none',
      https,
      [slice('IPv4', [['10.0.0.1', false]]), slice('IPv6', [['fd00::1']])],
      ['fd00::1 8443'],
    ],
    ['a port without a name', { ports: [{ port: 443 }] }, [{ ...slice('IPv4', [['10.0.0.1']]), ports: [{ port: 1 }] }], ['10.0.0.1 1']],
    ['an external name, at the port that is asked for', { type: 'ExternalName', externalName: 'api.example' }, [], ['api.example 443']],
    ['a headless Service', { ...https, clusterIP: 'None' }, [slice('IPv4', [['10.0.0.1']])], ['10.0.0.1 8443']],
  ];
  for (const [what, spec, slices, expected] of cases) it(what, () => assert.deepEqual(chosen(spec, slices), expected));

  const failures: readonly (readonly [what: string, spec: ServiceSpec, slices: readonly EndpointSlice[], port: number, message: string])[] =
    [
      ['a port that the Service has not', https, [slice('IPv4', [['10.0.0.1']])], 8443, 'no service port 8443 found for service "x"'],
      ['no slices', https, [], 443, 'no endpoints available for service "x"'],
      ['none that is ready', https, [slice('IPv4', [['10.0.0.1', false]])], 443, 'no endpoints available for service "x"'],
      ['none with that port', https, [slice('IPv4', [['10.0.0.1']])], 80, 'no endpoints available for service "x"'],
      ['names only', https, [slice('FQDN', [['a.example']])], 443, 'no endpoints available for service "x"'],
    ];
  for (const [what, spec, slices, port, message] of failures)
    it(`503 for ${what}`, () => {
      assert.throws(
        () => resolveService(service(spec), slices, port, random),
        (error) => error instanceof StatusError && error.code === 503 && error.message === message,
      );
    });

  it('refuses a type of Service that it does not know', () => {
    assert.throws(() => resolveService(service({ type: 'Other' as never }), [], 443, random), {
      message: 'unsupported service type "Other"',
    });
  });
});

describe('the ClusterIPs of Services', () => {
  const typed = (spec: ServiceSpec, port = 443) => clusterAddress(service({ ...https, ...spec }), port);
  it('are where calls go', () => {
    assert.deepEqual(typed({ clusterIP: '10.96.0.7' }), { host: '10.96.0.7', port: 443 });
    assert.deepEqual(typed({ type: 'ExternalName', externalName: 'x.example.com' }, 8443), { host: 'x.example.com', port: 8443 });
  });
  it('are missing with headless Services, and other ports lead nowhere', () => {
    assert.throws(() => typed({ clusterIP: 'None' }), /^Error: cannot route to service with ClusterIP "None"$/);
    assert.throws(() => typed({ clusterIP: '10.96.0.7' }, 444), /no service port 444 found for service "x"/);
  });
});
