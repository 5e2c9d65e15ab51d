import assert from 'node:assert/strict';
import { parseQuantity } from '../base/quantity/quantity.ts';
import { type Activation, compileCEL } from './compile-cel.ts';
import type { Environment } from './environment.ts';
import { mapOf, mapWithDefault, valueOfJSON } from './run/json-values.ts';
import { createKubernetesEnvironment } from './kubernetes-environment.ts';
import { bindingsLibrary } from './libraries/lists.ts';
import { QuantityValue, quantityType } from './libraries/quantity.ts';
import { parseSemver } from './libraries/semver.ts';
import { NativeObject } from './types/native-object.ts';
import { perCallCostLimit } from './cost/runtime-costs.ts';
import { escapeIdentifier, type SchemaLike, typeOfSchema } from './types/schema-types.ts';
import { anyType, type CELType, dynType, mapType, objectType, sized, stringType } from './types/types.ts';
import type { CELValue } from './types/values.ts';

function outcome(source: string, environment: Environment, activation: Activation): unknown {
  const compiled = compileCEL(source, environment);
  if (!compiled.ok) return compiled.message;
  const result = compiled.program.evaluate(activation, { costLimit: perCallCostLimit });
  return result.ok ? result.value : result.error;
}

const names: SchemaLike = { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 20 } };
const schema: SchemaLike = {
  type: 'object',
  required: ['replicas'],
  properties: {
    replicas: { type: 'integer' },
    minReplicas: { type: 'integer' },
    maxReplicas: { type: 'integer' },
    ratio: { type: 'number' },
    stateCounts: { type: 'object', additionalProperties: { type: 'integer' } },
    list1: names,
    list2: names,
    names,
    details: { type: 'object', additionalProperties: { type: 'string' } },
    created: { type: 'string', format: 'date-time' },
    expired: { type: 'string', format: 'date-time' },
    day: { type: 'string', format: 'date' },
    ttl: { type: 'string', format: 'duration' },
    blob: { type: 'string', format: 'byte' },
    health: { type: 'string' },
    widgets: { type: 'array', items: { type: 'object', properties: { key: { type: 'string' }, foo: { type: 'integer' } } } },
    set1: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port'],
      items: { type: 'object', properties: { port: { type: 'integer' }, name: { type: 'string' } } },
    },
    limit: { 'x-kubernetes-int-or-string': true },
    namespace: { type: 'string' },
    'a-b': { type: 'string' },
    free: {},
  },
};

function rootType(): CELType {
  const type = typeOfSchema(schema, 'Root', true);
  if (type === undefined) throw new Error('the schema has a type');
  return type;
}

const json = {
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'web-1' },
  replicas: 3,
  minReplicas: 1,
  maxReplicas: 5,
  ratio: 2,
  stateCounts: { Available: 1 },
  list1: ['a'],
  list2: [],
  names: ['x', 'y'],
  details: { x: 'one', y: 'two' },
  created: '2024-01-01T00:00:00Z',
  expired: '2024-01-02T00:00:00Z',
  day: '2024-02-29',
  ttl: '1h',
  blob: 'aGk=',
  health: 'ok: fine',
  widgets: [{ key: 'x', foo: 3 }, { key: 'y' }],
  set1: ['a', 'b'],
  ports: [
    { port: 1, name: 'one' },
    { port: 2, name: 'two' },
  ],
  limit: '100%',
  namespace: 'default',
  'a-b': 'dashed',
};

describe('CEL in Kubernetes', () => {
  describe('validation rules of a schema', () => {
    const type = rootType();
    const environment = createKubernetesEnvironment({ self: type, oldSelf: type });
    const self = valueOfJSON(json, type);

    it('hold as the documentation says', () => {
      const rules = [
        'self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas',
        "'Available' in self.stateCounts",
        '(size(self.list1) == 0) != (size(self.list2) == 0)',
        'self.created + self.ttl < self.expired',
        'has(self.expired) && self.created + self.ttl < self.expired',
        'self.day.getDayOfMonth() == 28 && self.day.getMonth() == 1',
        "self.health.startsWith('ok')",
        "self.widgets.exists(w, w.key == 'x' && w.foo < 10)",
        "type(self.limit) == string ? self.limit == '100%' : self.limit == 1000",
        "self.metadata.name.startsWith('web') && self.kind == 'Thing'",
        'self.list1.all(e, !(e in self.names))',
        'size(self.names) == size(self.details) && self.names.all(n, n in self.details)',
        "self.details.all(key, key.matches('^[a-zA-Z]*$'))",
        "self.details.all(key, self.details[key].matches('^[a-zA-Z]*$'))",
        'self.widgets.filter(w, has(w.foo)).all(w, w.foo == 3)',
        'self.replicas == oldSelf.replicas',
        'self.ratio == 2.0 && self.replicas > 2.5',
        "self.blob == b'hi'",
        "self.__namespace__ == 'default' && self.a__dash__b == 'dashed'",
        'self.set1 == ["b", "a"] && ["b", "a"] == self.set1 && self.set1 != ["a", "c"]',
        'self.set1 + ["b", "c"] == ["c", "b", "a"] && (self.set1 + ["b"]).size() == 2',
        'self.ports == self.ports && (self.ports + self.ports).map(p, p.name) == ["one", "two"]',
        'self.?widgets[?1].?foo.orValue(7) == 7',
      ];
      for (const rule of rules) assert.equal(outcome(rule, environment, { self, oldSelf: self }), true, rule);
    });

    it('do not see what the schema does not say', () => {
      assert.match(String(outcome('self.free == 1', environment, { self })), /undefined field 'free'/);
      assert.equal(outcome('self.widgets[1].foo == 1', environment, { self }), 'no such key: foo');
    });

    it('are priced by the sizes the schema allows', () => {
      const estimate = (rule: string): number => {
        const compiled = compileCEL(rule, environment);
        return compiled.ok ? compiled.program.estimateCost().max : Number.NaN;
      };
      // The list, its start and its result are 3; each of ten names 2 for the loop, 3 for the comparison and its sides.
      assert.equal(estimate('self.names.all(n, n == "abcdefghij")'), 53);
      // Lists that the rule makes itself have elements of known sizes, and so have lists that are made of these.
      assert.ok(estimate('["a", "b"].map(n, n + "a").all(n, n != "b")') < 100);
      assert.ok(estimate('(has(self.names) ? self.names : []).exists(n, n.contains("/"))') < 1000);
      // Functions of lists know the sizes of declared elements alone.
      assert.ok(estimate('["a", "b"].join(",").startsWith("a")') > perCallCostLimit);
      assert.ok(estimate('(["a"] + ["b"]).filter(n, n != "a").exists(n, n + "a" == "b")') < 100);
      assert.ok(estimate('self.details.all(k, self.details[k].matches("^a+$"))') > perCallCostLimit);
      assert.ok(estimate('self.names.all(n, n.matches("^a+$"))') < 1000);
    });

    it('names fields so that they can be written', () => {
      const cases: readonly (readonly [string, string | undefined])[] = [
        ['a.b/c', 'a__dot__b__slash__c'],
        ['x__y', 'x__underscores__y'],
        ['in', '__in__'],
        ['1a', undefined],
        ['a b', undefined],
      ];
      for (const [name, escaped] of cases) assert.equal(escapeIdentifier(name), escaped);
    });
  });

  describe('device selectors', () => {
    const short = sized(stringType, 64);
    const deviceType = objectType('kubernetes.DRADevice', {
      driver: short,
      attributes: mapType(short, mapType(short, anyType, 32), 32),
      capacity: mapType(short, mapType(short, quantityType, 32), 32),
    });
    const environment = createKubernetesEnvironment({ device: deviceType }, { libraries: [bindingsLibrary] });
    const attributes = mapOf([
      [
        'gpu.example.com',
        mapOf([
          ['model', 'a100'],
          ['cores', 8n],
          ['fast', true],
          ['driverVersion', parseSemver('1.25.3')],
        ]),
      ],
    ]);
    const capacity = mapOf([['gpu.example.com', mapOf([['memory', new QuantityValue(parseQuantity('80Gi'))]])]]);
    const fields = new Map<string, CELValue>([
      ['driver', 'gpu.example.com'],
      ['attributes', mapWithDefault(attributes, mapOf([]))],
      ['capacity', mapWithDefault(capacity, mapOf([]))],
    ]);
    const device = new NativeObject(deviceType, fields);

    it('choose devices', () => {
      const cases: readonly (readonly [string, unknown])[] = [
        ['device.driver == "gpu.example.com"', true],
        ['device.attributes["gpu.example.com"].model == "a100"', true],
        ['device.attributes["gpu.example.com"].cores >= 8 && device.attributes["gpu.example.com"].fast', true],
        ['device.attributes["gpu.example.com"].driverVersion.isGreaterThan(semver("1.3.0"))', true],
        ['device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0', true],
        ['cel.bind(gpu, device.attributes["gpu.example.com"], gpu.fast && gpu.cores > 4)', true],
        ['has(device.attributes["other.example.com"].model)', false],
        ['device.attributes["other.example.com"].model == "x"', 'no such key: model'],
        ['device.attributes["gpu.example.com"].model > 5', 'no such overload'],
        ['device.nope', "ERROR: <input>:1:7: undefined field 'nope'\n | device.nope\n | ......^"],
      ];
      for (const [selector, expected] of cases) {
        const found = outcome(selector, environment, { device });
        assert.equal(
          typeof expected === 'string' && typeof found === 'string' ? found.slice(0, expected.length) : found,
          expected,
          selector,
        );
      }
    });
  });

  it('a cost limit ends what would take long, whatever absorbs errors', () => {
    const environment = createKubernetesEnvironment({ list: dynType });
    const list = valueOfJSON(Array.from({ length: 2000 }, (_unused, index) => index));
    const result = outcome('list.all(a, list.all(b, list.exists(c, a + b + c == -1) || true))', environment, { list });
    assert.equal(result, 'operation cancelled: actual cost limit exceeded');
  });
});
