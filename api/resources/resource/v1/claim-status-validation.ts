import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { semanticText } from '../../../base/equality.ts';
import { validateChoice, validateRequired } from '../../../resource/field-rules.ts';
import { deviceID } from '../../../semantics/devices/resource-claims.ts';
import type { AllocatedDeviceStatus, AllocationResult, ResourceClaim, ResourceClaimConsumerReference } from '../../../types/resource-v1.ts';
import { type FieldError, forbidden, invalid, required, tooLong, tooMany } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { dns1123LabelProblems } from '../../../validation/names.ts';
import { validateNodeSelector } from '../../core/v1/pod-spec/affinity.ts';
import { requestNames, validateRequestRef, validateRequestRefs } from './claim-validation.ts';
import {
  maxConfigs,
  validateDriverName,
  validateOpaque,
  validatePoolName,
  validateRaw,
  validateSet,
  validateToleration,
} from './device-rules.ts';

const maxConsumers = 256;
const maxResults = 32;
const maxConditions = 8;
const maxInterfaceNameLength = 256;
const maxHardwareAddressLength = 128;

/** Validates the status of a claim as scheduler, controller and drivers write it. */
export function validateClaimStatus(
  { metadata, spec, status }: DeepReadonly<ResourceClaim>,
  old: DeepReadonly<ResourceClaim>,
  path: FieldPath,
): FieldError[] {
  const { allocation, reservedFor = [], devices } = status ?? {};
  const at = path.child('status');
  const consumers = at.child('reservedFor');
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceKey));
  const errors = [
    ...validateSet(reservedFor, consumers, { max: maxConsumers, keyOf: ({ uid }) => uid, validate: validateConsumer }),
    ...validateSet(devices, at.child('devices'), {
      max: Number.POSITIVE_INFINITY,
      keyOf: deviceKey,
      validate: (device, devicePath) => validateDeviceStatus(device, allocated, devicePath),
    }),
  ];
  if (reservedFor.length > 0 && allocation === undefined)
    errors.push(forbidden(consumers, 'may not be specified when `allocated` is not set'));
  const before = new Set((old.status?.reservedFor ?? []).map(semanticText));
  const isNew = (consumer: DeepReadonly<ResourceClaimConsumerReference>) => !before.has(semanticText(consumer));
  if (allocation !== undefined && metadata.deletionTimestamp !== undefined && reservedFor.some(isNew)) {
    errors.push(forbidden(consumers, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'));
  }
  if (allocation === undefined) return errors;
  if (old.status?.allocation !== undefined)
    return [...errors, ...validateImmutable(at.child('allocation'), allocation, old.status.allocation)];
  return [...errors, ...validateAllocation(allocation, requestNames(spec), at.child('allocation'))];
}

function deviceKey(one: { readonly driver: string; readonly pool: string; readonly device: string; readonly shareID?: string }): string {
  return one.shareID === undefined ? deviceID(one) : `${deviceID(one)}/${one.shareID}`;
}

function validateConsumer(consumer: DeepReadonly<ResourceClaimConsumerReference>, path: FieldPath): FieldError[] {
  return (['resource', 'name', 'uid'] as const).filter((field) => !consumer[field]).map((field) => required(path.child(field)));
}

function validateAllocation(
  { devices, nodeSelector }: DeepReadonly<AllocationResult>,
  names: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const at = path.child('devices');
  return [
    ...validateSet(devices?.results, at.child('results'), {
      max: maxResults,
      validate: (result, resultPath) => [
        ...validateRequestRef(result.request, names, resultPath.child('request')),
        ...validateDriverName(result.driver, resultPath.child('driver')),
        ...validatePoolName(result.pool, resultPath.child('pool')),
        ...validateRequired(resultPath.child('device'), result.device, dns1123LabelProblems),
        ...validateSet(result.tolerations, resultPath.child('tolerations'), { max: 16, validate: validateToleration }),
      ],
    }),
    ...validateSet(devices?.config, at.child('config'), {
      max: 2 * maxConfigs,
      validate: ({ source, requests, opaque }, configPath) => [
        ...validateChoice(configPath.child('source'), source, ['FromClaim', 'FromClass']),
        ...validateRequestRefs(requests, names, configPath.child('requests')),
        ...validateOpaque(opaque, configPath.child('opaque')),
      ],
    }),
    ...(nodeSelector === undefined ? [] : validateNodeSelector(nodeSelector, path.child('nodeSelector'))),
  ];
}

function validateDeviceStatus(device: DeepReadonly<AllocatedDeviceStatus>, allocated: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const { conditions, data, networkData } = device;
  const errors = [
    ...validateDriverName(device.driver, path.child('driver')),
    ...validatePoolName(device.pool, path.child('pool')),
    ...validateRequired(path.child('device'), device.device, dns1123LabelProblems),
  ];
  if (!allocated.has(deviceKey(device))) errors.push(invalid(path, deviceKey(device), 'must be an allocated device in the claim'));
  if ((conditions ?? []).length > maxConditions) errors.push(tooMany(path.child('conditions'), (conditions ?? []).length, maxConditions));
  if (data !== undefined) errors.push(...validateRaw(data, path.child('data')));
  const network = path.child('networkData');
  if ((networkData?.interfaceName ?? '').length > maxInterfaceNameLength)
    errors.push(tooLong(network.child('interfaceName'), maxInterfaceNameLength));
  if ((networkData?.hardwareAddress ?? '').length > maxHardwareAddressLength)
    errors.push(tooLong(network.child('hardwareAddress'), maxHardwareAddressLength));
  return errors;
}
