import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { formatJSON } from '../../base/format-json.ts';
import { findTime } from '../../meta/time.ts';
import { formatTimeSince, nameColumn } from '../../resource/columns.ts';
import type { PrinterColumn } from '../../resource/resource-definition.ts';
import type { CustomResourceColumnDefinition, CustomResourceDefinitionVersion } from '../../types/apiextensions-v1.ts';
import { formatGoFloat } from '../validation/go-float.ts';
import { type JSONPath, JSONPathError, parseJSONPath } from './json-path.ts';

type Column = DeepReadonly<CustomResourceColumnDefinition>;
type Cell = string | number | boolean | null;

const ageColumn: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/**
 * The columns of a version: the name, then the version's own columns, or Age if it has none. A path that cannot be parsed ends the list.
 */
export function customColumns({ additionalPrinterColumns = [] }: DeepReadonly<CustomResourceDefinitionVersion>): PrinterColumn[] {
  const own = additionalPrinterColumns.length > 0 ? additionalPrinterColumns : [ageColumn];
  const columns: PrinterColumn[] = [nameColumn];
  for (const column of own) {
    const made = makeColumn(column);
    if (made === undefined) break;
    columns.push(made);
  }
  return columns;
}

function makeColumn(column: Column): PrinterColumn | undefined {
  const path = tryParse(column.jsonPath);
  if (path === undefined) return undefined;
  const { name, type, format, priority } = column;
  const description = column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`;
  return {
    name,
    type: type as PrinterColumn['type'],
    ...(format === undefined ? {} : { format }),
    ...(priority === undefined ? {} : { priority }),
    ...(column === ageColumn ? {} : { description }),
    value: (object, { nowMs }) => cellOf(path, type, object, nowMs),
  };
}

function tryParse(text: string): JSONPath | undefined {
  try {
    return parseJSONPath(text);
  } catch (error) {
    if (error instanceof JSONPathError) return undefined;
    throw error;
  }
}

function cellOf(path: JSONPath, type: string, object: unknown, nowMs: number): Cell {
  try {
    const found = path.find(object);
    return found.length === 0 ? null : toCell(found[0], type, nowMs);
  } catch (error) {
    if (error instanceof JSONPathError) return null;
    throw error;
  }
}

function toCell(value: unknown, type: string, nowMs: number): Cell {
  switch (type) {
    case 'string':
      return formatText(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? Number(value) : null;
    case 'number':
      return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return value !== '' && findTime(value) === undefined ? '<invalid>' : formatTimeSince(value, nowMs);
    default:
      return null;
  }
}

/** A value as Go prints it; lists and objects as JSON. */
function formatText(value: unknown): string {
  if (value === null || value === undefined) return '<no value>';
  if (typeof value === 'object') return formatJSON(value);
  return typeof value === 'number' && !Number.isSafeInteger(value) ? formatGoFloat(value) : String(value);
}

/** The selectable fields of a version, without the dot at the beginning of their paths. */
export function customSelectableFields({
  selectableFields = [],
}: DeepReadonly<CustomResourceDefinitionVersion>): Record<string, (object: unknown) => string> {
  return Object.fromEntries(
    selectableFields.flatMap(({ jsonPath }) => {
      const path = tryParse(jsonPath);
      if (path === undefined) return [];
      const read = (object: unknown): string => {
        const [value] = path.find(object);
        return value === null || value === undefined ? '' : formatText(value);
      };
      return [[jsonPath.replace(/^\./, ''), read] as const];
    }),
  );
}
