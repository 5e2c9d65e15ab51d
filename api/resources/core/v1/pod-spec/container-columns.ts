import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { KubeObject } from '../../../../meta/object.ts';
import type { PodTemplateSpec } from '../../../../types/core-v1.ts';
import { wideColumn } from '../../../../resource/columns.ts';
import type { PrinterColumn } from '../../../../resource/resource-definition.ts';

/** The wide columns of everything that makes Pods of a template: names and images of its containers. */
export function containerColumns<T extends KubeObject>(
  templateOf: (object: DeepReadonly<T>) => DeepReadonly<PodTemplateSpec> | undefined,
): PrinterColumn<T>[] {
  return [
    wideColumn<T>('Containers', (object) => join(templateOf(object), 'name')),
    wideColumn<T>('Images', (object) => join(templateOf(object), 'image')),
  ];
}

function join(template: DeepReadonly<PodTemplateSpec> | undefined, field: 'name' | 'image'): string {
  return (template?.spec?.containers ?? []).map((container) => container[field] ?? '').join(',');
}
