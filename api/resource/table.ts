import type { DeepReadonly } from '../base/deep-readonly.ts';
import type { ListMetadata } from '../meta/list.ts';
import type { KubeObject } from '../meta/object.ts';
import type { Table, TableColumnDefinition, TableRow } from '../meta/table.ts';
import { findColumnText } from './column-texts.ts';
import { defaultColumns } from './columns.ts';
import type { PrinterColumn, ResourceDefinition } from './resource-definition.ts';

/** The part of each object that its row contains (query parameter includeObject). */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  /** Default Metadata. */
  readonly includeObject?: IncludeObject;
  /** Leaves out the columns: in a watch only the first event has them. */
  readonly noHeaders?: boolean;
  readonly nowMs: number;
  /** Version of meta.k8s.io that the Table is of: default v1; v1beta1 has the same fields. */
  readonly metaVersion?: string;
}

type Shown<T extends KubeObject> = Pick<ResourceDefinition<T>, 'group' | 'version' | 'names' | 'printerColumns' | 'rowConditions'>;

function columnsOf<T extends KubeObject>(definition: Shown<T>): readonly PrinterColumn<T>[] {
  return definition.printerColumns.length > 0 ? definition.printerColumns : defaultColumns;
}

export function tableColumns<T extends KubeObject>(definition: Shown<T>): TableColumnDefinition[] {
  return columnsOf(definition).map(({ name, type, format = '', description, priority = 0 }) => ({
    name,
    type,
    format,
    description: description ?? findColumnText(definition, name) ?? '',
    priority,
  }));
}

/** The metadata of an object as a PartialObjectMetadata. */
export function partialObjectMetadata(object: DeepReadonly<KubeObject>, metaVersion = 'v1'): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata: object.metadata as KubeObject['metadata'] };
}

export function tableRow<T extends KubeObject>(definition: Shown<T>, object: DeepReadonly<T>, options: TableOptions): TableRow {
  const row: TableRow = { cells: columnsOf(definition).map((column) => column.value(object, options)) };
  const conditions = definition.rowConditions?.(object) ?? [];
  if (conditions.length > 0) row.conditions = conditions;
  const include = options.includeObject ?? 'Metadata';
  row.object =
    include === 'None' ? null : include === 'Object' ? (object as KubeObject) : partialObjectMetadata(object, options.metaVersion);
  return row;
}

/** A Table as kubectl prints it: the objects of a list (with its metadata), or a single one (with its resourceVersion). */
export function toTable<T extends KubeObject>(
  definition: Shown<T>,
  objects: readonly DeepReadonly<T>[],
  metadata: ListMetadata,
  options: TableOptions,
): Table {
  const { resourceVersion, continue: token, remainingItemCount } = metadata;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.metaVersion ?? 'v1'}`,
    metadata: {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(token === undefined ? {} : { continue: token }),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    },
    columnDefinitions: options.noHeaders ? [] : tableColumns(definition),
    rows: objects.map((object) => tableRow(definition, object, options)),
  };
}
