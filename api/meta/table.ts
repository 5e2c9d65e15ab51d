import type { KubeObject } from './object.ts';

/** meta.k8s.io/v1 Table: what kubectl prints. */
export interface Table {
  kind: 'Table';
  /** meta.k8s.io/v1, or v1beta1 where that was asked for. */
  apiVersion: string;
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  columnDefinitions: TableColumnDefinition[];
  rows: TableRow[];
}

export interface TableColumnDefinition {
  name: string;
  /** OpenAPI type: string, integer, number, boolean, date. */
  type: string;
  /** `name` marks the column that identifies the object. */
  format: string;
  description: string;
  /** 0: always shown; above: only in wide output. */
  priority: number;
}

export interface TableRow {
  cells: (string | number | boolean | null)[];
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
  /** The whole object, its PartialObjectMetadata, or null, by the request's includeObject. */
  object?: KubeObject | null;
}
