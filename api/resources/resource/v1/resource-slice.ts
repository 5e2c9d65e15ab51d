import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach, validatePositive, validateRequired } from '../../../resource/field-rules.ts';
import type { ResourceSlice } from '../../../types/resource-v1.ts';
import { duplicate, type FieldError, invalid, required, tooMany } from '../../../validation/field-error.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { dns1123LabelProblems } from '../../../validation/names.ts';
import { validateDriverName } from './claim-validation.ts';

const maxDevices = 128;

/** Some of the devices that a driver offers. */
export const resourceSlices = defineResource<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ResourceSlice', plural: 'resourceslices' },
  definition: 'io.k8s.api.resource.v1.ResourceSlice',
  storagePrefix: 'resourceslices',
  formerVersions: ['v1beta2'],
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    textColumn('Node', ({ spec }) => spec?.nodeName ?? ''),
    textColumn('Driver', ({ spec }) => spec?.driver ?? ''),
    textColumn('Pool', ({ spec }) => spec?.pool?.name ?? ''),
    ageColumn,
  ],
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  validate({ spec }, path) {
    const at = path.child('spec');
    const { driver, pool, nodeName, nodeSelector, allNodes, perDeviceNodeSelection, devices = [] } = spec ?? {};
    const errors: FieldError[] = validateDriverName(driver, at.child('driver'));
    errors.push(...validateRequired(at.child('pool', 'name'), pool?.name));
    errors.push(...validatePositive(at.child('pool', 'resourceSliceCount'), pool?.resourceSliceCount ?? 0));
    errors.push(...validateNonnegative(at.child('pool', 'generation'), pool?.generation ?? 0));
    const places = [nodeName !== undefined, nodeSelector !== undefined, allNodes === true, perDeviceNodeSelection === true].filter(
      Boolean,
    ).length;
    const rule = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
    if (places === 0) errors.push(required(at, rule));
    if (places > 1) errors.push(invalid(at, null, `${rule}, but multiple fields are set`));
    if (devices.length > maxDevices) errors.push(tooMany(at.child('devices'), devices.length, maxDevices));
    const names = new Set<string>();
    return [
      ...errors,
      ...validateEach(devices, at.child('devices'), ({ name }, device) => {
        const problems = validateRequired(device.child('name'), name, dns1123LabelProblems);
        if (names.has(name)) problems.push(duplicate(device.child('name'), name));
        names.add(name);
        return problems;
      }),
    ];
  },
  validateUpdate: ({ spec }, old, path) => [
    ...validateImmutable(path.child('spec', 'driver'), spec?.driver, old.spec?.driver),
    ...validateImmutable(path.child('spec', 'pool', 'name'), spec?.pool?.name, old.spec?.pool?.name),
    ...validateImmutable(path.child('spec', 'nodeName'), spec?.nodeName, old.spec?.nodeName),
  ],
});
