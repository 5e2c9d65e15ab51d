import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { findController } from '../../../meta/owner-references.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { ControllerRevision } from '../../../types/apps-v1.ts';
import { required } from '../../../validation/field-error.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { validateImmutable } from '../../../validation/immutable.ts';

/** A former state of a workload, to go back to. */
export const controllerRevisions = defineResource<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ControllerRevision', plural: 'controllerrevisions' },
  definition: 'io.k8s.api.apps.v1.ControllerRevision',
  storagePrefix: 'controllerrevisions',
  printerColumns: [
    nameColumn,
    textColumn('Controller', (revision) => {
      const controller = findController(revision);
      if (!controller) return '<none>';
      const [group] = controller.apiVersion.includes('/') ? controller.apiVersion.split('/') : [''];
      return `${[controller.kind, ...(group ? [group] : [])].join('.').toLowerCase()}/${controller.name}`;
    }),
    { ...integerColumn<ControllerRevision>('Revision', ({ revision }) => revision), type: 'string' },
    ageColumn,
  ],
  validate: ({ data, revision }, path) => [
    ...(data === undefined || data === null ? [required(path.child('data'), 'data is mandatory')] : []),
    ...validateNonnegative(path.child('revision'), revision ?? 0),
  ],
  validateUpdate: (revision, old, path) => validateImmutable(path.child('data'), revision.data, old.data),
});
