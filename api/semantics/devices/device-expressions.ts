import { compileCEL, type Program } from '../../cel/compile-cel.ts';
import { estimateCost } from '../../cel/cost/estimate.ts';
import { mapOf, mapWithDefault } from '../../cel/run/json-values.ts';
import { createKubernetesEnvironment } from '../../cel/kubernetes-environment.ts';
import { bindingsLibrary } from '../../cel/libraries/lists.ts';
import { QuantityValue, quantityType } from '../../cel/libraries/quantity.ts';
import { parseSemver } from '../../cel/libraries/semver.ts';
import { NativeObject } from '../../cel/types/native-object.ts';
import { anyType, boolType, mapType, objectType, sized, stringType, formatType } from '../../cel/types/types.ts';
import { type CELValue, Failure, typeName } from '../../cel/types/values.ts';
import { parseQuantity } from '../../base/quantity/quantity.ts';
import type { DeviceAttribute } from '../../types/resource-v1.ts';
import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { type CompileDeviceExpression, type DeviceExpression, type SelectableDevice, splitQualifiedName } from './device-selectors.ts';

/** The most attributes and capacities of one device. */
const maxEntries = 32;
/** Steps that one expression may take on one device. */
export const costLimit = 1_000_000;
/** Compiled expressions that are kept. */
const maxKept = 1000;

/** The greatest length of names and values that validation allows. The cost estimate of expressions uses it. */
const driverName = sized(stringType, 63);
const domain = sized(stringType, 63);
const id = sized(stringType, 32);
const attribute = sized(anyType, 64);

const deviceType = objectType('kubernetes.DRADevice', {
  driver: driverName,
  attributes: mapType(domain, mapType(id, attribute, maxEntries), maxEntries),
  capacity: mapType(domain, mapType(id, quantityType, maxEntries), maxEntries),
  allowMultipleAllocations: boolType,
});
const environment = createKubernetesEnvironment({ device: deviceType }, { libraries: [bindingsLibrary] });
const kept = new Map<string, DeviceExpression>();

/** Compiles an expression on `device` once; the same text is compiled no second time. */
export const compileDeviceExpression: CompileDeviceExpression = (expression) => {
  let compiled = kept.get(expression);
  if (compiled === undefined) {
    compiled = compile(expression);
    const [oldest] = kept.keys();
    if (kept.size >= maxKept && oldest !== undefined) kept.delete(oldest);
    kept.set(expression, compiled);
  }
  return compiled;
};

function compile(expression: string): DeviceExpression {
  const result = compileCEL(expression, environment);
  if (!result.ok) throw new Error(`compilation failed: ${result.message}`);
  const { program } = result;
  if (program.outputType.kind !== 'bool' && program.outputType.kind !== 'any')
    throw new Error(`must evaluate to bool or the unknown type, not ${formatType(program.outputType)}`);
  return { maxCost: () => estimateCost(program.checked, environment).max, matches: (device) => evaluate(program, device) };
}

function evaluate(program: Program, device: SelectableDevice): boolean {
  const result = program.evaluate({ device: deviceValue(device) }, { costLimit });
  if (!result.ok) throw new Error(result.error);
  if (typeof result.value !== 'boolean') {
    const type = typeName(result.value);
    throw new Error(`CEL result of type ${type} could not be converted to bool: type conversion error from '${type}' to 'bool'`);
  }
  return result.value;
}

/** Devices are looked at by many expressions. */
const values = new WeakMap<SelectableDevice, CELValue>();

function deviceValue(device: SelectableDevice): CELValue {
  let value = values.get(device);
  if (value === undefined) values.set(device, (value = toValue(device)));
  return value;
}

function toValue({ driver, attributes = {}, capacity = {}, allowMultipleAllocations = false }: SelectableDevice): CELValue {
  return new NativeObject(
    deviceType,
    new Map<string, CELValue>([
      ['driver', driver],
      ['attributes', byDomain(driver, attributes, attributeValue)],
      ['capacity', byDomain(driver, capacity, ({ value }) => new QuantityValue(parseQuantity(String(value))))],
      ['allowMultipleAllocations', allowMultipleAllocations],
    ]),
  );
}

/** The attributes by domain. A domain that the device does not mention is empty. */
function byDomain<T>(driver: string, entries: Readonly<Record<string, T>>, valueOf: (entry: T, name: string) => CELValue): CELValue {
  const domains = new Map<string, Map<string, CELValue>>();
  for (const [name, entry] of Object.entries(entries)) {
    const { domain, id } = splitQualifiedName(name, driver);
    domains.set(domain, (domains.get(domain) ?? new Map<string, CELValue>()).set(id, valueOf(entry, name)));
  }
  return mapWithDefault(mapOf([...domains].map(([domain, own]) => [domain, mapOf(own)] as const)), mapOf([]));
}

function attributeValue({ int, bool, string, version }: DeepReadonly<DeviceAttribute>, name: string): CELValue {
  if (int !== undefined) return BigInt(int);
  const value = bool ?? string;
  if (value !== undefined) return value;
  if (version === undefined) throw new Error(`attribute ${name}: unsupported attribute value`);
  try {
    return parseSemver(version);
  } catch (error) {
    if (error instanceof Failure) throw new Error(`attribute ${name}: parse semantic version: ${error.message}`, { cause: error });
    throw error;
  }
}
