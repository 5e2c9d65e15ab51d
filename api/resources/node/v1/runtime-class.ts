import { repeatedIndexes } from '../../../base/repeats.ts';
import { semanticText } from '../../../base/equality.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor } from '../../../resource/field-rules.ts';
import type { RuntimeClass } from '../../../types/node-v1.ts';
import { duplicate, hasEnoughErrors } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateLabels } from '../../../validation/labels.ts';
import { dns1123LabelProblems } from '../../../validation/names.ts';
import { validateContainerResources } from '../../core/v1/pod-spec/container-resources.ts';
import { nodeLabelDeprecation } from '../../core/v1/pod-spec/node-label-warnings.ts';
import { validateTolerations } from '../../core/v1/pod-spec/scheduling.ts';

/** A way of running containers that nodes have by that name. */
export const runtimeClasses = defineResource<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'RuntimeClass', plural: 'runtimeclasses' },
  definition: 'io.k8s.api.node.v1.RuntimeClass',
  storagePrefix: 'runtimeclasses',
  allowUnconditionalUpdate: false,
  printerColumns: [nameColumn, textColumn('Handler', ({ handler }) => handler), ageColumn],
  validate({ handler = '', overhead, scheduling }, path) {
    const errors = invalidFor(path.child('handler'), handler, dns1123LabelProblems(handler));
    if (overhead?.podFixed !== undefined) {
      errors.push(...validateContainerResources({ limits: overhead.podFixed }, new Set(), path.child('overhead')));
    }
    const at = path.child('scheduling');
    errors.push(...validateLabels(scheduling?.nodeSelector, at.child('nodeSelector')));
    const tolerations = scheduling?.tolerations ?? [];
    for (const index of repeatedIndexes(tolerations.map(semanticText))) {
      if (hasEnoughErrors(errors)) break;
      errors.push(duplicate(at.child('tolerations').index(index), tolerations[index]));
    }
    // Upstream's path has the field twice.
    return [...errors, ...validateTolerations(tolerations, at.child('tolerations', 'tolerations'))];
  },
  warnings({ scheduling }) {
    const messages = Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => nodeLabelDeprecation(label) ?? []);
    return messages.map((message) => `${FieldPath.root.child('scheduling', 'nodeSelector')}: ${message}`);
  },
  validateUpdate: (runtimeClass, old, path) => validateImmutable(path.child('handler'), runtimeClass.handler, old.handler),
});
