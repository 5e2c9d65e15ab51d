import { nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { formatLabels } from '../../../selectors/label-selectors.ts';
import type { PodTemplate } from '../../../types/core-v1.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { podWarnings } from './pod-spec/pod-warnings.ts';
import { validatePodTemplate } from './pod-spec/pod-template.ts';
import { canonicalizeTemplate } from './pod-spec/service-account.ts';

/** A template for Pods, stored as an object. */
export const podTemplates = defineResource<PodTemplate>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'PodTemplate', plural: 'podtemplates' },
  definition: 'io.k8s.api.core.v1.PodTemplate',
  storagePrefix: 'podtemplates',
  hasGeneration: true,
  generationFields: ['template'],
  printerColumns: [
    nameColumn,
    textColumn('Containers', ({ template }) => (template?.spec?.containers ?? []).map(({ name }) => name).join(',')),
    textColumn('Images', ({ template }) => (template?.spec?.containers ?? []).map(({ image }) => image ?? '').join(',')),
    textColumn('Pod Labels', ({ template }) => formatLabels(template?.metadata?.labels)),
  ],
  default: ({ template }) => canonicalizeTemplate(template),
  warnings: ({ template }, old) =>
    old === undefined || !isSemanticallyEqual(template, old.template) ? podWarnings(template ?? {}, FieldPath.root.child('template')) : [],
  validate: ({ template }, path) => validatePodTemplate(template ?? {}, path.child('template')),
});
