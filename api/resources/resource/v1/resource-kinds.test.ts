import assert from 'node:assert/strict';
import type { Device, DeviceRequest, ResourceClaim, ResourceSliceSpec } from '../../../types/resource-v1.ts';
import { formatFieldErrors } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { deviceClasses } from './device-class.ts';
import { resourceClaims } from './resource-claim.ts';
import { resourceSlices } from './resource-slice.ts';

const context = { nowMs: 0, operation: 'create' as const, subresource: '', user: { name: 'u', groups: [] } };
const root = FieldPath.root;
const exactly = (rest: object = {}): DeviceRequest => ({
  name: 'r',
  exactly: { deviceClassName: 'c', allocationMode: 'ExactCount', count: 1, ...rest },
});
const selecting = (expression: string) => exactly({ selectors: [{ cel: { expression } }] });
const driver = 'gpu.example.com';

const told = (errors: readonly Parameters<typeof formatFieldErrors>[0][number][] | undefined) =>
  (errors ?? []).map((error) => formatFieldErrors([error]));

describe('kinds of dynamic resources: claims', () => {
  const every = (inner: string) => `device.attributes.all(x, ${inner})`;
  const costly = every(every(every(every(every('x == "a"')))));
  const refs = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const alternatives: DeviceRequest = {
    name: 'r',
    firstAvailable: [{ name: 'one', deviceClassName: 'c', allocationMode: 'ExactCount', count: 1 }],
  };
  const cases: [string, ResourceClaim['spec']['devices'], string[]][] = [
    ['ask for devices', { requests: [exactly()] }, []],
    ['ask for devices by expression', { requests: [selecting('device.driver == "x"')] }, []],
    [
      'say what cannot be compiled',
      { requests: [selecting('nothing')] },
      [
        `spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "nothing": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nothing' (in container '')\n | nothing\n | ^`,
      ],
    ],
    [
      'say what is no condition',
      { requests: [selecting('device.driver')] },
      [
        'spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
      ],
    ],
    [
      'have expressions of some length',
      { requests: [selecting(`device.driver == "${'x'.repeat(10_240)}"`)] },
      ['spec.devices.requests[0].exactly.selectors[0].cel.expression: Too long: may not be more than 10240 bytes'],
    ],
    [
      'have expressions that come to an end',
      { requests: [selecting('["a", "b", "c"].all(x, x == "a")'), { ...selecting(costly), name: 's' }] },
      ['spec.devices.requests[1].exactly.selectors[0].cel.expression: Forbidden: too complex, exceeds cost limit'],
    ],
    ['name each request once', { requests: [exactly(), exactly()] }, ['spec.devices.requests[1]: Duplicate value: "r"']],
    [
      'refer to requests that they have',
      { requests: [alternatives], constraints: [{ matchAttribute: 'd/a', requests: ['r/one', 'r', 'r/two'] }] },
      [`spec.devices.constraints[0].requests[2]: Invalid value: "r/two": ${refs}`],
    ],
    [
      'name attributes in full',
      { requests: [exactly()], constraints: [{ matchAttribute: 'a' }] },
      [
        'spec.devices.constraints[0].matchAttribute: Invalid value: "a": a fully qualified name must be a domain and a name separated by a slash',
      ],
    ],
    ['constrain something', { requests: [exactly()], constraints: [{}] }, ['spec.devices.constraints[0].matchAttribute: Required value']],
    [
      'tell drivers objects',
      { requests: [exactly()], config: [{ opaque: { driver, parameters: 'text' } }, {}] },
      [
        'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
        'spec.devices.config[1].opaque: Required value',
      ],
    ],
  ];
  for (const [what, devices, expected] of cases)
    it(what, () =>
      assert.deepEqual(told(resourceClaims.validate?.({ metadata: {}, spec: { devices: devices ?? {} } }, root, context)), expected),
    );

  const allocated = (device: string, rest: object = {}): ResourceClaim => ({
    metadata: {},
    spec: { devices: { requests: [exactly()] } },
    status: { allocation: { devices: { results: [{ request: 'r', driver, pool: 'p', device }] } }, ...rest },
  });
  const statuses: [string, ResourceClaim, ResourceClaim, string[]][] = [
    ['get devices', allocated('a'), { metadata: {}, spec: { devices: { requests: [exactly()] } } }, []],
    [
      'get devices for their requests',
      { ...allocated('a'), spec: {} },
      { metadata: {}, spec: {} },
      [`status.allocation.devices.results[0].request: Invalid value: "r": ${refs}`],
    ],
    [
      'are told of devices that they have',
      allocated('a', { devices: [{ driver, pool: 'p', device: 'b' }] }),
      allocated('a'),
      [`status.devices[0]: Invalid value: "${driver}/p/b": must be an allocated device in the claim`],
    ],
    [
      'are reserved only with devices',
      { metadata: {}, spec: {}, status: { reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] } },
      { metadata: {}, spec: {} },
      ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
    ],
    [
      'are reserved for nobody else when they are to go',
      {
        ...allocated('a', { reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] }),
        metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
      },
      allocated('a'),
      ['status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'],
    ],
  ];
  for (const [what, claim, old, expected] of statuses)
    it(what, () =>
      assert.deepEqual(
        told(resourceClaims.validateStatusUpdate?.(claim, old, root, { ...context, operation: 'update', subresource: 'status' })),
        expected,
      ),
    );

  it('forget what was said of devices that they lose', () => {
    const claim: ResourceClaim = { metadata: {}, spec: {}, status: { devices: [{ driver, pool: 'p', device: 'a' }] } };
    resourceClaims.prepareForUpdate?.(claim, allocated('a'), { ...context, operation: 'update', subresource: 'status' });
    assert.deepEqual(claim.status, {});
  });
});

describe('kinds of dynamic resources: classes and slices', () => {
  it('classes have expressions and parameters', () => {
    const spec = { selectors: [{ cel: { expression: '1' } }], config: [{}], extendedResourceName: 'cpu' };
    assert.deepEqual(told(deviceClasses.validate?.({ metadata: {}, spec }, root, context)), [
      'spec.selectors[0].cel.expression: Invalid value: "1": must evaluate to bool or the unknown type, not int',
      'spec.config[0].opaque: Required value',
      'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
    ]);
  });

  const spec = (rest: Partial<ResourceSliceSpec>): ResourceSliceSpec => ({
    driver,
    nodeName: 'n',
    pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
    ...rest,
  });
  const device = (rest: Partial<Device>): ResourceSliceSpec => spec({ devices: [{ name: 'a', ...rest }] });
  const places = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`a${index}`, { int: index }]));
  const slices: [string, ResourceSliceSpec, string[]][] = [
    [
      'list devices',
      device({ attributes: { a: { int: 1 }, 'x.example.com/b': { version: '1.2.3' } }, capacity: { c: { value: '1Gi' } } }),
      [],
    ],
    ['are somewhere', { driver, pool: { name: 'n', generation: 1, resourceSliceCount: 1 } }, [`spec: Required value: ${places}`]],
    [
      'are in one place',
      spec({ allNodes: true }),
      [`spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${places}, but multiple fields are set`],
    ],
    ['name their drivers well', spec({ driver: 'a b' }), [/^spec\.driver: Invalid value: "a b": a lowercase RFC 1123 subdomain/.source]],
    ['name each device once', spec({ devices: [{ name: 'a' }, { name: 'a' }] }), ['spec.devices[1]: Duplicate value: "a"']],
    [
      'have attributes of one value',
      device({ attributes: { a: {} } }),
      ['spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified'],
    ],
    [
      'have versions as such',
      device({ attributes: { a: { version: '1.02.3' } } }),
      ['spec.devices[0].attributes[a].version: Invalid value: "1.02.3": must be a string compatible with semver.org spec 2.0.0'],
    ],
    [
      'have short texts',
      device({ attributes: { a: { string: 'x'.repeat(65) } } }),
      ['spec.devices[0].attributes[a].string: Too long: may not be more than 64 bytes'],
    ],
    [
      'do not say too much',
      device({ attributes: many }),
      ['spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32'],
    ],
    [
      'say where devices are only if they say so',
      device({ allNodes: true }),
      [
        'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
  ];
  for (const [what, given, expected] of slices)
    it(`slices ${what}`, () => {
      const errors = told(resourceSlices.validate?.({ metadata: {}, spec: given }, root, context));
      assert.equal(errors.length, expected.length, errors.join('\n'));
      for (const [index, text] of expected.entries()) {
        const error = errors[index] ?? '';
        if (text.startsWith('^')) assert.match(error, new RegExp(text));
        else assert.equal(error, text);
      }
    });
});
