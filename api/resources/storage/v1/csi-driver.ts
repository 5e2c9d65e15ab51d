import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { PrinterColumn } from '../../../resource/resource-definition.ts';
import type { CSIDriver, CSIDriverSpec } from '../../../types/storage-v1.ts';
import { duplicate, invalid, required } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateCSIDriverName } from '../../core/v1/pod-spec/volumes/volumes.ts';

type Flag = 'attachRequired' | 'podInfoOnMount' | 'storageCapacity' | 'requiresRepublish';

function flagColumn(name: string, field: Flag & keyof CSIDriverSpec, otherwise = false): PrinterColumn<CSIDriver> {
  return { name, type: 'boolean', value: ({ spec }) => spec?.[field] ?? otherwise };
}

/** Capabilities and wishes of a storage driver. */
export const csiDrivers = defineResource<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'CSIDriver', plural: 'csidrivers' },
  definition: 'io.k8s.api.storage.v1.CSIDriver',
  storagePrefix: 'csidrivers',
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    flagColumn('AttachRequired', 'attachRequired', true),
    flagColumn('PodInfoOnMount', 'podInfoOnMount'),
    flagColumn('StorageCapacity', 'storageCapacity'),
    textColumn('TokenRequests', ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>'),
    flagColumn('RequiresRepublish', 'requiresRepublish'),
    textColumn('Modes', ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(',') || '<none>'),
    ageColumn,
  ],
  validate({ metadata, spec }, path) {
    const at = path.child('spec');
    const errors = validateCSIDriverName(metadata.name ?? '', path.child('metadata', 'name'));
    for (const field of ['attachRequired', 'podInfoOnMount', 'storageCapacity'] as const)
      if (spec?.[field] === undefined) errors.push(required(at.child(field === 'attachRequired' ? 'attachedRequired' : field)));
    if (spec?.fsGroupPolicy !== undefined) {
      errors.push(
        ...validateChoice(at.child('fsGroupPolicy'), spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'unsupported'),
      );
    }
    const audiences = new Set<string>();
    errors.push(
      ...validateEach(spec?.tokenRequests, at.child('tokenRequests'), ({ audience, expirationSeconds: seconds }, request) => {
        if (audiences.has(audience)) return [duplicate(request.child('audience'), audience)];
        audiences.add(audience);
        const secondsPath = request.child('expirationSeconds');
        if (seconds !== undefined && seconds < 600)
          return [invalid(secondsPath, seconds, 'may not specify a duration less than 10 minutes')];
        return seconds !== undefined && seconds > 2 ** 32
          ? [invalid(secondsPath, seconds, 'may not specify a duration larger than 2^32 seconds')]
          : [];
      }),
      ...(spec?.volumeLifecycleModes ?? []).flatMap((mode) =>
        validateChoice(at.child('volumeLifecycleModes'), mode, ['Persistent', 'Ephemeral'], 'unsupported'),
      ),
    );
    return errors;
  },
  validateUpdate: ({ spec }, old, path) =>
    (['attachRequired', 'fsGroupPolicy', 'volumeLifecycleModes'] as const).flatMap((field) =>
      validateImmutable(path.child('spec', field === 'attachRequired' ? 'attachedRequired' : field), spec?.[field], old.spec?.[field]),
    ),
});
