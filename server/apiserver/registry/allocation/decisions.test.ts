import assert from 'node:assert/strict';
import { parseIP } from '../../../../api/base/ip-address.ts';
import { createSeededRandom } from '../../../../api/base/testing/seeded-random.ts';
import type { ServiceSpec } from '../../../../api/types/core-v1.ts';
import { candidates, parseAddressRange, positionOf } from './address-range.ts';
import { planNodePorts } from './node-ports.ts';
import { PortSet } from './port-set.ts';

describe('address ranges', () => {
  const cases: readonly (readonly [cidr: string, size: bigint, reserved: bigint])[] = [
    ['10.96.0.0/12', 1_048_574n, 256n],
    ['10.0.0.0/24', 254n, 16n],
    ['10.0.0.0/20', 4094n, 255n],
    ['10.0.0.0/28', 14n, 0n],
    ['10.0.0.0/30', 2n, 0n],
    ['fd00::/112', 65_535n, 256n],
    ['fd00::/64', 1n << 60n, 256n],
  ];
  for (const [cidr, size, reserved] of cases) {
    it(`${cidr} has ${size} addresses, ${reserved} of them kept`, () => {
      const range = parseAddressRange(cidr);
      assert.deepEqual([range.size, range.reserved], [size, reserved]);
    });
  }

  it('offers each address once, the kept ones last', () => {
    const range = parseAddressRange('192.168.7.0/24');
    const all = [...candidates(range, createSeededRandom(7))];
    assert.equal(new Set(all).size, 254);
    const last = (address: string) => Number(address.split('.')[3]);
    assert.ok(all.slice(0, 238).every((address) => last(address) >= 17 && last(address) <= 254));
    assert.deepEqual(
      all
        .slice(238)
        .map(last)
        .sort((a, b) => a - b),
      Array.from({ length: 16 }, (_, index) => index + 1),
    );
  });

  it('tells what lies inside', () => {
    const range = parseAddressRange('10.96.0.0/12');
    const positions = ['10.96.0.0', '10.96.0.1', '10.111.255.254', '10.111.255.255', '10.112.0.0', 'fd00::1'].map((text) => {
      const address = parseIP(text);
      return address && positionOf(range, address);
    });
    assert.deepEqual(positions, ['edge', 'inside', 'inside', 'edge', 'outside', 'outside']);
  });
});

describe('port sets', () => {
  const range = { first: 30_000, last: 32_767 };

  it('are stored as upstream stores them', () => {
    assert.equal(new PortSet(range).encode(), '');
    assert.equal(new PortSet(range, [30_000]).encode(), 'AQ==');
    assert.equal(new PortSet(range, [30_008, 30_000]).encode(), 'AQE=');
    assert.deepEqual(PortSet.decode(range, 'AQE=').all(), [30_000, 30_008]);
  });

  it('read what they have written', () => {
    const random = createSeededRandom(3);
    const ports = new PortSet(range);
    for (let count = 0; count < 300; count++) ports.add(ports.findFree(random) ?? 0);
    assert.deepEqual(PortSet.decode(range, ports.encode()).all(), ports.all());
    assert.equal(ports.all().length, 300);
  });

  it('give the kept ports last, and then no more', () => {
    const small = { first: 100, last: 163 };
    const ports = new PortSet(small);
    const given = Array.from({ length: 64 }, () => {
      const port = ports.findFree(createSeededRandom(1)) ?? 0;
      ports.add(port);
      return port;
    });
    assert.ok(given.slice(0, 48).every((port) => port >= 116));
    assert.ok(given.slice(48).every((port) => port < 116));
    assert.equal(ports.findFree(createSeededRandom(1)), undefined);
  });
});

describe('node ports of a dry run', () => {
  const plan = (nodePort: number, dryRun: boolean) => {
    const ports = new PortSet({ first: 30_000, last: 30_099 }, [30_001]);
    const spec: ServiceSpec = { type: 'NodePort', ports: [{ port: 80, nodePort }] };
    return planNodePorts({ metadata: { name: 'a' }, spec }, undefined, ports, createSeededRandom(1), dryRun).ports;
  };
  it('may be of any range, as upstream has it', () => {
    assert.deepEqual(plan(80, true), [80]);
    assert.throws(() => plan(80, false), /not in the valid range/);
  });
  it('are not those of others', () => assert.throws(() => plan(30_001, true), /already allocated/));
});

describe('node ports of an update', () => {
  const plan = (spec: ServiceSpec, old: ServiceSpec, taken: readonly number[]) => {
    const ports = new PortSet({ first: 30_000, last: 30_099 }, taken);
    const result = planNodePorts({ metadata: { name: 'a' }, spec }, { metadata: { name: 'a' }, spec: old }, ports, createSeededRandom(1));
    return { ...result, taken: ports.all() };
  };
  const exposed = (...nodePorts: (number | undefined)[]): ServiceSpec => ({
    type: 'NodePort',
    ports: nodePorts.map((nodePort, index) => ({
      port: index + 1,
      protocol: 'TCP' as const,
      ...(nodePort === undefined ? {} : { nodePort }),
    })),
  });

  it('stay as they are', () => {
    assert.deepEqual(plan(exposed(30_001), exposed(30_001), [30_001]), {
      ports: [30_001],
      healthCheck: undefined,
      allocated: [],
      released: [],
      taken: [30_001],
    });
  });

  it('can be swapped, added and dropped', () => {
    const result = plan(exposed(30_002, 30_001, 30_003), exposed(30_001, 30_002), [30_001, 30_002]);
    assert.deepEqual([result.ports, result.allocated, result.released], [[30_002, 30_001, 30_003], [30_003], []]);
    const dropped = plan(exposed(30_002), exposed(30_001, 30_002), [30_001, 30_002]);
    assert.deepEqual([dropped.released, dropped.taken], [[30_001], [30_001, 30_002]]);
  });

  it('are all given back where the type has none', () => {
    assert.deepEqual(
      plan({ type: 'ClusterIP', ports: [{ port: 1 }] }, exposed(30_001, 30_002), [30_001, 30_002]).released,
      [30_001, 30_002],
    );
  });
});
