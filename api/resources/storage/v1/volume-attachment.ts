import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor } from '../../../resource/field-rules.ts';
import type { VolumeAttachment } from '../../../types/storage-v1.ts';
import { type FieldError, forbidden, required } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { dns1123SubdomainProblems } from '../../../validation/names.ts';
import { validateCSIDriverName } from '../../core/v1/pod-spec/volumes/volumes.ts';

/** The wish that a volume be at a Node. */
export const volumeAttachments = defineResource<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'VolumeAttachment', plural: 'volumeattachments' },
  definition: 'io.k8s.api.storage.v1.VolumeAttachment',
  resetFields: { status: [['spec'], ['metadata']] },
  subresources: {
    status: { kind: 'VolumeAttachment', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'volumeattachments',
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    { ...textColumn<VolumeAttachment>('Attacher', ({ spec }) => spec?.attacher ?? ''), format: 'name' },
    textColumn('PV', ({ spec }) => spec?.source?.persistentVolumeName ?? ''),
    textColumn('Node', ({ spec }) => spec?.nodeName ?? ''),
    { name: 'Attached', type: 'boolean', value: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
  validate({ spec }, path) {
    const at = path.child('spec');
    const { attacher = '', nodeName = '', source } = spec ?? {};
    const errors: FieldError[] = attacher === '' ? [required(at.child('attacher'))] : [];
    const sourcePath = at.child('source');
    if (source?.persistentVolumeName === undefined && source?.inlineVolumeSpec === undefined) {
      errors.push(required(sourcePath, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
    } else if (source.persistentVolumeName !== undefined && source.inlineVolumeSpec !== undefined) {
      errors.push(forbidden(sourcePath, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
    } else if (source.persistentVolumeName === '')
      errors.push(required(sourcePath.child('persistentVolumeName'), 'must specify non empty persistentVolumeName'));
    const volume = source?.persistentVolumeName;
    return [
      ...errors,
      ...invalidFor(at.child('nodeName'), nodeName, dns1123SubdomainProblems(nodeName)),
      ...validateCSIDriverName(attacher, at.child('attacher')),
      ...(volume === undefined ? [] : invalidFor(sourcePath.child('persistentVolumeName'), volume, dns1123SubdomainProblems(volume))),
    ];
  },
  validateUpdate: ({ spec }, old, path) => validateImmutable(path.child('spec'), spec, old.spec),
});
