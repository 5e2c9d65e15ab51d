import { formatAge } from '../meta/duration.ts';
import type { KubeObject } from '../meta/object.ts';
import { findTime } from '../meta/time.ts';
import type { PrinterColumn } from './resource-definition.ts';

/** How long ago a wire time was, e.g. `5d3h`; `<unknown>` where there is none. */
export function formatTimeSince(time: string | null | undefined, nowMs: number): string {
  const sinceMs = findTime(time);
  return sinceMs === undefined ? '<unknown>' : formatAge(nowMs - sinceMs);
}

/** The column that identifies the object. */
export const nameColumn: PrinterColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  value: ({ metadata }) => metadata.name ?? '',
};

export const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'string',
  value: ({ metadata }, { nowMs }) => formatTimeSince(metadata.creationTimestamp, nowMs),
};

/** The columns of kinds that declare none. */
export const defaultColumns: readonly PrinterColumn[] = [
  nameColumn,
  { name: 'Created At', type: 'date', value: ({ metadata }) => metadata.creationTimestamp ?? null },
];

/** A column that is always shown and holds text. */
export function textColumn<T extends KubeObject>(name: string, value: PrinterColumn<T>['value']): PrinterColumn<T> {
  return { name, type: 'string', value };
}

/** A column that is shown with `-o wide` only and holds text. */
export function wideColumn<T extends KubeObject>(name: string, value: PrinterColumn<T>['value']): PrinterColumn<T> {
  return { name, type: 'string', priority: 1, value };
}

/** A column that is always shown and holds a whole number. */
export function integerColumn<T extends KubeObject>(name: string, value: PrinterColumn<T>['value']): PrinterColumn<T> {
  return { name, type: 'integer', value };
}
