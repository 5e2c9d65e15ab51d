import assert from 'node:assert/strict';
import type { CompileDeviceExpression } from '../../../api/semantics/devices/device-selectors.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import type {
  AllocationResult,
  Device,
  DeviceClaim,
  DeviceClass,
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../../api/types/resource-v1.ts';
import { createAllocator } from './allocate-devices.ts';
import { indexSlices } from './device-pools.ts';
import { wantedDevices } from './device-requests.ts';

const driver = 'd.example.com';
const node = (name: string, labels: Record<string, string> = {}): Node => ({ metadata: { name, labels } });
const slice = (name: string, devices: Device[], spec: Partial<ResourceSliceSpec> = {}): ResourceSlice => ({
  metadata: { name },
  spec: { driver, pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, devices, ...spec },
});
const onNode = (nodeName: string, ...devices: Device[]) =>
  slice(nodeName, devices, { nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 } });
const device = (name: string, numa?: number, rest: Partial<Device> = {}): Device => ({
  name,
  ...(numa === undefined ? {} : { attributes: { numa: { int: numa } } }),
  ...rest,
});
const exactly = (name: string, rest: Partial<ExactDeviceRequest> = {}): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'any', allocationMode: 'ExactCount', count: 1, ...rest },
});
const all = { allocationMode: 'All' as const, count: 0 };
const selecting = (expression: string) => ({ selectors: [{ cel: { expression } }] });
const claimOf = (devices: DeviceClaim, name = 'c'): ResourceClaim => ({ metadata: { namespace: 'ns', name }, spec: { devices } });

const classes: DeviceClass[] = [
  { metadata: { name: 'any' }, spec: {} },
  { metadata: { name: 'big' }, spec: { ...selecting('big'), config: [{ opaque: { driver, parameters: { of: 'class' } } }] } },
];

/** An expression is the beginning of the names of devices that it selects. */
const compile: CompileDeviceExpression = (expression) => {
  if (expression === '???') throw new Error('compilation failed');
  return {
    maxCost: () => 1,
    matches({ attributes }) {
      if (expression === 'numa') {
        if (attributes?.['numa'] === undefined) throw new Error('no such key: numa');
        return true;
      }
      return expression === 'big' ? attributes?.['size']?.string === 'big' : attributes?.['numa']?.int === Number(expression);
    },
  };
};

interface Given {
  readonly slices: ResourceSlice[];
  readonly claims: ResourceClaim[];
  readonly taken?: string[];
  readonly node?: Node;
}

function allocate({ slices, claims, taken = [], node: at = node('n') }: Given): AllocationResult[] | undefined {
  const waiting = claims.map((claim) => {
    const asked = wantedDevices(claim, (name) => classes.find(({ metadata }) => metadata.name === name));
    if ('problem' in asked) throw new Error(asked.problem);
    return { claim, wanted: asked.wanted };
  });
  return createAllocator({ claims: waiting, slices: indexSlices(slices), taken: new Set(taken), compile }).allocate(at);
}

const shown = (results: AllocationResult[] | undefined) =>
  results === undefined
    ? 'none'
    : results.map(({ devices }) => (devices?.results ?? []).map((one) => `${one.request}=${one.device}`).join(' ')).join(' | ');

describe('allocation of devices', () => {
  const three = [onNode('n', device('a', 0), device('b', 1), device('c', 1))];
  const sameNUMA = { constraints: [{ matchAttribute: `${driver}/numa` }] };
  const cases: [string, Given, string][] = [
    ['takes the first that is free', { slices: three, claims: [claimOf({ requests: [exactly('r')] })] }, 'r=a'],
    ['leaves what others have', { slices: three, claims: [claimOf({ requests: [exactly('r')] })], taken: [`${driver}/n/a`] }, 'r=b'],
    ['takes as many as are asked for', { slices: three, claims: [claimOf({ requests: [exactly('r', { count: 3 })] })] }, 'r=a r=b r=c'],
    ['does not take fewer', { slices: three, claims: [claimOf({ requests: [exactly('r', { count: 4 })] })] }, 'none'],
    [
      'gives no device to two claims',
      { slices: three, claims: [claimOf({ requests: [exactly('r')] }), claimOf({ requests: [exactly('s')] }, 'd')] },
      'r=a | s=b',
    ],
    [
      'goes back when a later request needs what was taken',
      { slices: three, claims: [claimOf({ requests: [exactly('r'), exactly('s', selecting('0'))] })] },
      'r=b s=a',
    ],
    ['sees only devices of its node', { slices: three, claims: [claimOf({ requests: [exactly('r')] })], node: node('m') }, 'none'],
    ['takes all', { slices: three, claims: [claimOf({ requests: [exactly('r', { ...all, ...selecting('1') })] })] }, 'r=b r=c'],
    ['takes all or none', { slices: three, claims: [claimOf({ requests: [exactly('r', all)] })], taken: [`${driver}/n/b`] }, 'none'],
    ['does not take all of nothing', { slices: [onNode('n')], claims: [claimOf({ requests: [exactly('r', all)] })] }, 'none'],
    [
      'looks into devices of others',
      { slices: three, claims: [claimOf({ requests: [exactly('r', { ...all, adminAccess: true })] })], taken: [`${driver}/n/b`] },
      'r=a r=b r=c',
    ],
    [
      'finds devices that are alike',
      { slices: three, claims: [claimOf({ requests: [exactly('r'), exactly('s')], ...sameNUMA })] },
      'r=b s=c',
    ],
    [
      'needs the attribute to be there',
      { slices: [onNode('n', device('a'), device('b', 1))], claims: [claimOf({ requests: [exactly('r')], ...sameNUMA })] },
      'r=b',
    ],
    [
      'applies a constraint to the named requests only',
      {
        slices: three,
        claims: [claimOf({ requests: [exactly('r'), exactly('s')], constraints: [{ matchAttribute: `${driver}/numa`, requests: ['r'] }] })],
      },
      'r=a s=b',
    ],
    [
      'finds devices that differ',
      {
        slices: three,
        claims: [claimOf({ requests: [exactly('r', { count: 2 })], constraints: [{ distinctAttribute: `${driver}/numa` }] })],
      },
      'r=a r=b',
    ],
    [
      'takes the best alternative that there is',
      {
        slices: three,
        claims: [
          claimOf({
            requests: [
              {
                name: 'r',
                firstAvailable: [
                  { name: 'large', deviceClassName: 'big', allocationMode: 'ExactCount', count: 1 },
                  { name: 'pair', deviceClassName: 'any', allocationMode: 'ExactCount', count: 2 },
                ],
              },
            ],
            constraints: [{ matchAttribute: `${driver}/numa`, requests: ['r/pair'] }],
          }),
        ],
      },
      'r/pair=b r/pair=c',
    ],
    [
      'leaves pools alone that are being updated',
      {
        slices: [slice('s', [device('a')], { allNodes: true, pool: { name: 'p', generation: 2, resourceSliceCount: 2 } })],
        claims: [claimOf({ requests: [exactly('r')] })],
      },
      'none',
    ],
    [
      'believes the newest generation',
      {
        slices: [
          slice('old', [device('a')], { allNodes: true }),
          slice('new', [device('b')], { allNodes: true, pool: { name: 'p', generation: 2, resourceSliceCount: 1 } }),
        ],
        claims: [claimOf({ requests: [exactly('r')] })],
      },
      'r=b',
    ],
    [
      'leaves tainted devices alone',
      {
        slices: [onNode('n', device('a', 0, { taints: [{ key: 'sick', effect: 'NoSchedule' }] }), device('b'))],
        claims: [claimOf({ requests: [exactly('r')] })],
      },
      'r=b',
    ],
    [
      'takes tainted devices that are tolerated',
      {
        slices: [onNode('n', device('a', 0, { taints: [{ key: 'sick', effect: 'NoSchedule' }] }))],
        claims: [claimOf({ requests: [exactly('r', { tolerations: [{ key: 'sick', operator: 'Exists' }] })] })],
      },
      'r=a',
    ],
    [
      'looks where each device is',
      {
        slices: [slice('s', [device('a', 0, { nodeName: 'm' }), device('b', 0, { allNodes: true })], { perDeviceNodeSelection: true })],
        claims: [claimOf({ requests: [exactly('r')] })],
      },
      'r=b',
    ],
  ];
  for (const [what, given, expected] of cases) it(what, () => assert.equal(shown(allocate(given)), expected));

  const refusals: [string, Given, RegExp][] = [
    [
      'a selector of a claim that fails',
      { slices: [onNode('n', device('a'))], claims: [claimOf({ requests: [exactly('r', selecting('numa'))] })] },
      /^AllocationError: claim ns\/c: selector #0: CEL runtime error: no such key: numa$|^Error: claim ns\/c: selector #0: CEL runtime error: no such key: numa$/,
    ],
    [
      'a selector that is none',
      { slices: three, claims: [claimOf({ requests: [exactly('r', selecting('???'))] })] },
      /claim ns\/c: selector #0: CEL compile error: compilation failed/,
    ],
    [
      'all of a pool that is being updated',
      {
        slices: [slice('s', [], { allNodes: true, pool: { name: 'p', generation: 1, resourceSliceCount: 2 } })],
        claims: [claimOf({ requests: [exactly('r', all)] })],
      },
      /request r: asks for all devices, but resource pool d\.example\.com\/p is currently being updated/,
    ],
    [
      'a pool with two devices of one name',
      { slices: [onNode('n', device('a'), device('a'))], claims: [claimOf({ requests: [exactly('r')] })] },
      /pool n is invalid: duplicate device name a/,
    ],
    [
      'a search that would take too long',
      {
        slices: [onNode('n', ...Array.from({ length: 60 }, (_, index) => device(`d${index}`, index)))],
        claims: [
          claimOf({
            requests: [exactly('r', { count: 12 }), exactly('s', { count: 12 })],
            constraints: [{ matchAttribute: `${driver}/numa`, requests: ['s'] }],
          }),
        ],
      },
      /timed out trying to allocate devices/,
    ],
  ];
  for (const [what, given, expected] of refusals) it(`refuses ${what}`, () => assert.throws(() => allocate(given), expected));

  it('says that a class is missing', () =>
    assert.deepEqual(
      wantedDevices(claimOf({ requests: [exactly('r', { deviceClassName: 'none' })] }), () => undefined),
      {
        problem: 'request r: device class none does not exist',
      },
    ));

  it('tells drivers what class and claim say, for the alternative that was chosen', () => {
    const big = device('a', 0, { attributes: { size: { string: 'big' } } });
    const [result] =
      allocate({
        slices: [onNode('n', big)],
        claims: [
          claimOf({
            requests: [
              {
                name: 'r',
                firstAvailable: [
                  { name: 'pair', deviceClassName: 'any', allocationMode: 'ExactCount', count: 2 },
                  { name: 'one', deviceClassName: 'big', allocationMode: 'ExactCount', count: 1 },
                ],
              },
            ],
            config: [
              { requests: ['r/pair'], opaque: { driver, parameters: { of: 'pair' } } },
              { requests: ['r'], opaque: { driver, parameters: { of: 'claim' } } },
            ],
          }),
        ],
      }) ?? [];
    assert.deepEqual(result, {
      devices: {
        results: [{ request: 'r/one', driver, pool: 'n', device: 'a' }],
        config: [
          { source: 'FromClass', opaque: { driver, parameters: { of: 'class' } } },
          { source: 'FromClaim', requests: ['r'], opaque: { driver, parameters: { of: 'claim' } } },
        ],
      },
      nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }] },
    });
  });

  const rack = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'rack', operator: 'In' as const, values: ['r1'] }] }] };
  const places: [string, Partial<ResourceSliceSpec>, unknown][] = [
    ['of all nodes', { allNodes: true }, undefined],
    ['of some nodes', { nodeSelector: rack }, rack],
  ];
  for (const [what, spec, expected] of places)
    it(`may be used from where its devices are: ${what}`, () => {
      const [result] =
        allocate({
          slices: [slice('s', [device('a')], spec)],
          claims: [claimOf({ requests: [exactly('r')] })],
          node: node('n', { rack: 'r1' }),
        }) ?? [];
      assert.deepEqual(result?.nodeSelector, expected);
    });
});
