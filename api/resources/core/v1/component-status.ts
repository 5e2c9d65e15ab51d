import { findCondition } from '../../../meta/conditions.ts';
import { nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { ComponentStatus } from '../../../types/core-v1.ts';

/** Health of the control plane's parts, deprecated since v1.19. Nothing is stored: it is asked for. */
export const componentStatuses = defineResource<ComponentStatus>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ComponentStatus', plural: 'componentstatuses', shortNames: ['cs'] },
  definition: 'io.k8s.api.core.v1.ComponentStatus',
  verbs: ['get', 'list'],
  printerColumns: [
    nameColumn,
    textColumn('Status', ({ conditions }) => {
      const healthy = findCondition(conditions, 'Healthy');
      return healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
    }),
    textColumn('Message', ({ conditions }) => findCondition(conditions, 'Healthy')?.message ?? ''),
    textColumn('Error', ({ conditions }) => findCondition(conditions, 'Healthy')?.error ?? ''),
  ],
});
