import type { ControllerRevision } from '../../../types/apps-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const controllerRevisions = defineResource<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ControllerRevision', plural: 'controllerrevisions' },
  definition: 'io.k8s.api.apps.v1.ControllerRevision',
  storagePrefix: 'controllerrevisions',
});
