import { declare, global, member } from '../declare.ts';
import { matches } from '../../run/regex.ts';
import { type TimeParts, timeParts } from '../../types/time-values.ts';
import { boolType, bytesType, durationType, intType, listType, mapType, stringType, timestampType, typeParam } from '../../types/types.ts';
import type { DurationValue, ListValue, MapValue, TimestampValue } from '../../types/values.ts';
import { codePointLength } from '../../types/code-points.ts';
import type { FunctionDeclaration } from '../../declarations.ts';

function size(value: string | Uint8Array | ListValue | MapValue): bigint {
  if (typeof value === 'string') return BigInt(codePointLength(value));
  return BigInt(value instanceof Uint8Array ? value.length : value.size);
}

const listOfA = listType(typeParam('A'));
const mapOfAB = mapType(typeParam('A'), typeParam('B'));

const strings: readonly FunctionDeclaration[] = [
  declare(
    'size',
    global('size_bytes', [bytesType], intType, size),
    member('bytes_size', [bytesType], intType, size),
    global('size_list', [listOfA], intType, size),
    member('list_size', [listOfA], intType, size),
    global('size_map', [mapOfAB], intType, size),
    member('map_size', [mapOfAB], intType, size),
    global('size_string', [stringType], intType, size),
    member('string_size', [stringType], intType, size),
  ),
  declare(
    'contains',
    member('contains_string', [stringType, stringType], boolType, (text: string, part: string) => text.includes(part)),
  ),
  declare(
    'endsWith',
    member('ends_with_string', [stringType, stringType], boolType, (text: string, end: string) => text.endsWith(end)),
  ),
  declare(
    'startsWith',
    member('starts_with_string', [stringType, stringType], boolType, (text: string, start: string) => text.startsWith(start)),
  ),
  declare(
    'matches',
    global('matches', [stringType, stringType], boolType, matches),
    member('matches_string', [stringType, stringType], boolType, matches),
  ),
];

function timePart(name: string, id: string, part: (parts: TimeParts) => number): FunctionDeclaration {
  const read = (time: TimestampValue, zone?: string) => BigInt(part(timeParts(time.ns, zone)));
  return declare(
    name,
    member(`timestamp_to_${id}`, [timestampType], intType, (time: TimestampValue) => read(time)),
    member(`timestamp_to_${id}_with_tz`, [timestampType, stringType], intType, (time: TimestampValue, zone: string) => read(time, zone)),
  );
}

/** The parts a duration has too, as a whole: getMinutes of 1h30m is 90. */
function clockPart(name: string, id: string, nsPerUnit: bigint, part: (parts: TimeParts) => number, modulo?: bigint): FunctionDeclaration {
  const { overloads } = timePart(name, id, part);
  return declare(
    name,
    ...overloads,
    member(`duration_to_${id}`, [durationType], intType, ({ ns }: DurationValue) =>
      modulo === undefined ? ns / nsPerUnit : (ns / nsPerUnit) % modulo,
    ),
  );
}

const times: readonly FunctionDeclaration[] = [
  timePart('getFullYear', 'year', (parts) => parts.year),
  timePart('getMonth', 'month', (parts) => parts.month),
  timePart('getDayOfYear', 'day_of_year', (parts) => parts.dayOfYear),
  timePart('getDayOfMonth', 'day_of_month', (parts) => parts.day - 1),
  timePart('getDate', 'day_of_month_1_based', (parts) => parts.day),
  timePart('getDayOfWeek', 'day_of_week', (parts) => parts.dayOfWeek),
  clockPart('getHours', 'hours', 3_600_000_000_000n, (parts) => parts.hours),
  clockPart('getMinutes', 'minutes', 60_000_000_000n, (parts) => parts.minutes),
  clockPart('getSeconds', 'seconds', 1_000_000_000n, (parts) => parts.seconds),
  clockPart('getMilliseconds', 'milliseconds', 1_000_000n, (parts) => parts.milliseconds, 1000n),
];

export const stringsAndTimes: readonly FunctionDeclaration[] = [...strings, ...times];
