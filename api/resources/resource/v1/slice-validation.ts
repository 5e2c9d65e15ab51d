import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validatePositive, validateRequired } from '../../../resource/field-rules.ts';
import type { Device, DeviceAttribute, ResourceSliceSpec } from '../../../types/resource-v1.ts';
import { type FieldError, forbidden, invalid, required, tooLong } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';
import { validateNodeSelector } from '../../core/v1/pod-spec/affinity.ts';
import { validateDriverName, validatePoolName, validateQualifiedName, validateSet, validateTaint } from './device-rules.ts';

const maxDevices = 128;
/** With taints or shared counters. */
const maxIntricateDevices = 64;
const maxEntries = 32;
const maxTaints = 16;
const maxValueLength = 64;

/** Devices that a driver publishes. */
export function validateSliceSpec(spec: DeepReadonly<ResourceSliceSpec> | undefined, path: FieldPath): FieldError[] {
  const { driver, pool, devices = [], sharedCounters = [], perDeviceNodeSelection } = spec ?? {};
  const isIntricate = devices.some(({ taints = [], consumesCounters = [] }) => taints.length + consumesCounters.length > 0);
  const errors = [
    ...validateDriverName(driver, path.child('driver')),
    ...validatePoolName(pool?.name, path.child('pool', 'name')),
    ...validatePositive(path.child('pool', 'resourceSliceCount'), pool?.resourceSliceCount ?? 0),
    ...validateNonnegative(path.child('pool', 'generation'), pool?.generation ?? 0),
    ...validatePlace(spec ?? {}, path),
  ];
  if (sharedCounters.length > 0 && devices.length > 0)
    errors.push(invalid(path, '', 'only one of `sharedCounters` or `devices` is allowed'));
  return [
    ...errors,
    ...validateSet(devices, path.child('devices'), {
      max: isIntricate ? maxIntricateDevices : maxDevices,
      keyOf: ({ name }) => name,
      validate: (device, at) => [...validateDevice(device, at), ...validateDevicePlace(device, perDeviceNodeSelection === true, at)],
    }),
  ];
}

type Place = Partial<Pick<DeepReadonly<ResourceSliceSpec>, 'nodeName' | 'nodeSelector' | 'allNodes' | 'perDeviceNodeSelection'>>;

function validatePlace(place: Place, path: FieldPath): FieldError[] {
  const rule = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  const errors: FieldError[] = [];
  if (place.nodeName === '') errors.push(invalid(path.child('nodeName'), '', 'must be either unset or set to a non-empty string'));
  else if (place.nodeName !== undefined)
    errors.push(...invalidFor(path.child('nodeName'), place.nodeName, dns1123SubdomainProblems(place.nodeName)));
  if (place.nodeSelector !== undefined) {
    const at = path.child('nodeSelector');
    const { nodeSelectorTerms } = place.nodeSelector;
    errors.push(...validateNodeSelector(place.nodeSelector, at));
    if (nodeSelectorTerms.length !== 1)
      errors.push(invalid(at.child('nodeSelectorTerms'), nodeSelectorTerms, 'must have exactly one node selector term'));
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const)
    if (place[field] === false) errors.push(invalid(path.child(field), false, 'must be either unset or set to true'));
  const set = (['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const).filter((field) => place[field]);
  return [...errors, ...validateOne(set, rule, path)];
}

function validateOne(set: readonly string[], rule: string, path: FieldPath): FieldError[] {
  if (set.length === 0) return [required(path, rule)];
  if (set.length === 1) return [];
  return [invalid(path, `{${set.map((field) => `\`${field}\``).join(', ')}}`, `${rule}, but multiple fields are set`)];
}

function validateDevicePlace(device: DeepReadonly<Device>, isPerDevice: boolean, path: FieldPath): FieldError[] {
  const fields = ['nodeName', 'nodeSelector', 'allNodes'] as const;
  if (!isPerDevice) {
    const rule =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    return fields.some((field) => device[field] !== undefined) ? [invalid(path, null, rule)] : [];
  }
  const errors = device.nodeSelector === undefined ? [] : validateNodeSelector(device.nodeSelector, path.child('nodeSelector'));
  if (device.nodeName === '') errors.push(invalid(path.child('nodeName'), '', 'must not be empty'));
  if (device.allNodes === false) errors.push(invalid(path.child('allNodes'), false, 'must be either unset or set to true'));
  const rule =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  const set = fields.filter((field) => device[field]);
  if (set.length < 2) return [...errors, ...validateOne(set, rule, path)];
  return [...errors, invalid(path, `{${set.map((field) => `\`${field}\``).join(', ')}}`, rule)];
}

function validateDevice(device: DeepReadonly<Device>, path: FieldPath): FieldError[] {
  const { attributes = {}, capacity = {}, taints } = device;
  const errors = validateRequired(path.child('name'), device.name, dns1123LabelProblems);
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > maxEntries) errors.push(invalid(path, count, `the total number of attributes and capacities must not exceed ${maxEntries}`));
  for (const [name, attribute] of Object.entries(attributes)) {
    const at = path.child('attributes');
    errors.push(...validateQualifiedName(name, at), ...validateAttribute(attribute, at.key(name)));
  }
  for (const [name, { requestPolicy }] of Object.entries(capacity)) {
    const at = path.child('capacity');
    errors.push(...validateQualifiedName(name, at));
    if (requestPolicy !== undefined && device.allowMultipleAllocations !== true)
      errors.push(forbidden(at.key(name).child('requestPolicy'), 'allowMultipleAllocations must be true'));
  }
  return [...errors, ...validateSet(taints, path.child('taints'), { max: maxTaints, validate: validateTaint })];
}

const number = String.raw`(?:0|[1-9]\d*)`;
const prerelease = String.raw`(?:${number}|\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const build = '[0-9a-zA-Z-]+';
const versionPattern = new RegExp(
  String.raw`^${number}\.${number}\.${number}(?:-${prerelease}(?:\.${prerelease})*)?(?:\+${build}(?:\.${build})*)?$`,
);

function validateAttribute(attribute: DeepReadonly<DeviceAttribute>, path: FieldPath): FieldError[] {
  const { string, version } = attribute;
  const errors: FieldError[] = [];
  if (string !== undefined && new TextEncoder().encode(string).length > maxValueLength)
    errors.push(tooLong(path.child('string'), maxValueLength));
  if (version !== undefined && !versionPattern.test(version))
    errors.push(invalid(path.child('version'), version, 'must be a string compatible with semver.org spec 2.0.0'));
  if (version !== undefined && version.length > maxValueLength) errors.push(tooLong(path.child('version'), maxValueLength));
  const values = Object.values(attribute).filter((value) => value !== undefined).length;
  if (values !== 1) errors.push(invalid(path, values === 0 ? '' : attribute, 'exactly one value must be specified'));
  return errors;
}
