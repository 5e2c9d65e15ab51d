import assert from 'node:assert/strict';
import type { DeviceAttribute } from '../../types/resource-v1.ts';
import { compileDeviceExpression } from './device-expressions.ts';

const driver = 'gpu.example.com';
const attributes: Record<string, DeviceAttribute> = {
  model: { string: 'a100' },
  cores: { int: 8 },
  shared: { bool: true },
  'other.example.com/driverVersion': { version: '1.10.0' },
};
const device = { driver, attributes, capacity: { memory: { value: '40Gi' } } };
const own = `device.attributes["${driver}"]`;

describe('expressions on devices', () => {
  const cases: [string, boolean][] = [
    [`device.driver == "${driver}"`, true],
    [`${own}.model == "a100" && ${own}.cores >= 8`, true],
    [`${own}.shared`, true],
    [`"model" in ${own}`, true],
    [`has(${own}.nothing)`, false],
    ['"model" in device.attributes["unknown.example.com"]', false],
    [`cel.bind(gpu, ${own}, gpu.cores > 4 && gpu.model.startsWith("a"))`, true],
    ['device.attributes["other.example.com"].driverVersion.isGreaterThan(semver("1.9.3"))', true],
    [`device.capacity["${driver}"].memory.compareTo(quantity("32Gi")) >= 0`, true],
    [`device.capacity["${driver}"].memory.isGreaterThan(quantity("40960Mi"))`, false],
    ['device.allowMultipleAllocations', false],
  ];
  for (const [expression, expected] of cases)
    it(`${expression} is ${expected}`, () => assert.equal(compileDeviceExpression(expression).matches(device), expected));

  it('fail on what is not there', () =>
    assert.throws(() => compileDeviceExpression(`${own}.nothing == 1`).matches(device), /^Error: no such key: nothing$/));

  const broken: [string, RegExp][] = [
    ['device.nothing == 1', /^Error: compilation failed: ERROR: <input>:1:7: undefined field 'nothing'/],
    ['device.driver', /^Error: must evaluate to bool or the unknown type, not string$/],
    ['1 +', /^Error: compilation failed: ERROR: <input>:1:4: Syntax error/],
  ];
  for (const [expression, expected] of broken)
    it(`${expression} is none`, () => assert.throws(() => compileDeviceExpression(expression), expected));

  it('fail when they come to something else than yes or no', () =>
    assert.throws(
      () => compileDeviceExpression(`${own}.model`).matches(device),
      /CEL result of type string could not be converted to bool: type conversion error from 'string' to 'bool'/,
    ));
});
