import { quote } from '../../base/quote.ts';
import { Failure } from './values.ts';

/** The calendar and clock parts of a timestamp in some time zone. */
export interface TimeParts {
  readonly year: number;
  /** 0 to 11. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** 0 (Sunday) to 6. */
  readonly dayOfWeek: number;
  /** 0 to 365. */
  readonly dayOfYear: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
}

const nsPerSecond = 1_000_000_000n;
const secondsPerDay = 86_400;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z. */
const minTimestampNs = -62_135_596_800n * nsPerSecond;
const maxTimestampNs = 253_402_300_799n * nsPerSecond + 999_999_999n;
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

export function inTimestampRange(ns: bigint): boolean {
  return ns >= minTimestampNs && ns <= maxTimestampNs;
}

export function inDurationRange(ns: bigint): boolean {
  return ns >= minInt64 && ns <= maxInt64;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar; month 1 to 12. */
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

function dateOf(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1 };
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const daysIn = (year: number, month: number): number => (month === 2 && isLeap(year) ? 29 : (monthDays[month - 1] ?? 0));

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9})\d*)?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** Nanoseconds of an RFC 3339 time. Throws Failure. */
export function parseTimestampText(text: string): bigint {
  const match = rfc3339.exec(text);
  const invalid = () => new Failure(`parsing time ${quote(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${quote(text)} as "2006"`);
  if (match === null) throw invalid();
  const number = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hours, minutes, seconds] = [number(1), number(2), number(3), number(4), number(5), number(6)];
  if (month < 1 || month > 12) throw new Failure(`parsing time ${quote(text)}: month out of range`);
  if (day < 1 || day > daysIn(year, month)) throw new Failure(`parsing time ${quote(text)}: day out of range`);
  if (hours > 23 || minutes > 59 || seconds > 59 || number(9) > 24 || number(10) > 60) throw invalid();
  const offset = (match[8] === '-' ? -1 : 1) * (number(9) * 3600 + number(10) * 60);
  const total = daysOf(year, month, day) * secondsPerDay + hours * 3600 + minutes * 60 + seconds - offset;
  const ns = BigInt(total) * nsPerSecond + BigInt((match[7] ?? '').padEnd(9, '0'));
  if (!inTimestampRange(ns)) throw new Failure('timestamp overflow');
  return ns;
}

const two = (value: number): string => String(value).padStart(2, '0');

function floorDivide(value: bigint, by: bigint): { quotient: bigint; rest: bigint } {
  const rest = ((value % by) + by) % by;
  return { quotient: (value - rest) / by, rest };
}

function fraction(ns: bigint): string {
  return ns === 0n ? '' : `.${String(ns).padStart(9, '0').replace(/0+$/, '')}`;
}

/** RFC 3339 in UTC with as many digits of the second's fraction as there are. */
export function formatTimestamp(ns: bigint): string {
  const { quotient, rest } = floorDivide(ns, nsPerSecond);
  const parts = partsOfSeconds(Number(quotient), 0);
  const date = `${String(parts.year).padStart(4, '0')}-${two(parts.month + 1)}-${two(parts.day)}`;
  return `${date}T${two(parts.hours)}:${two(parts.minutes)}:${two(parts.seconds)}${fraction(rest)}Z`;
}

function partsOfSeconds(seconds: number, milliseconds: number): TimeParts {
  const days = Math.floor(seconds / secondsPerDay);
  const inDay = seconds - days * secondsPerDay;
  const { year, month, day } = dateOf(days);
  return {
    year,
    month: month - 1,
    day,
    dayOfWeek: (((days + 4) % 7) + 7) % 7,
    dayOfYear: days - daysOf(year, 1, 1),
    hours: Math.floor(inDay / 3600),
    minutes: Math.floor((inDay % 3600) / 60),
    seconds: inDay % 60,
    milliseconds,
  };
}

/** Parts in a time zone: UTC, an IANA name, or an offset such as +05:30 or -8:00. Throws Failure for a zone unknown. */
export function timeParts(ns: bigint, zone = 'UTC'): TimeParts {
  const { quotient, rest } = floorDivide(ns, nsPerSecond);
  const seconds = Number(quotient);
  return partsOfSeconds(seconds + offsetSeconds(seconds, zone), Number(rest / 1_000_000n));
}

const zones = new Map<string, Intl.DateTimeFormat>();
const maxZones = 1000;

function offsetSeconds(seconds: number, zone: string): number {
  if (zone === 'UTC' || zone === '') return 0;
  const fixed = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(zone);
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 3600 + Number(fixed[3]) * 60);
  const parts = new Map(
    formatOf(zone)
      .formatToParts(seconds * 1000)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name) ?? 0);
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
  const local = daysOf(year, part('month'), part('day')) * secondsPerDay + part('hour') * 3600 + part('minute') * 60 + part('second');
  return local - seconds;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat;
  try {
    if (!/^[A-Z]/.test(zone)) throw new RangeError('no IANA name');
    made = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new Failure(`unknown time zone ${zone}`);
  }
  if (zones.size < maxZones) zones.set(zone, made);
  return made;
}

const unitNs: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['µs', 1000n],
  ['μs', 1000n],
  ['ms', 1_000_000n],
  ['s', nsPerSecond],
  ['m', 60n * nsPerSecond],
  ['h', 3600n * nsPerSecond],
]);

/** Nanoseconds of a Go duration: `1h30m`, `-1.5s`, `0`. Throws Failure. */
export function parseDurationText(text: string): bigint {
  const invalid = () => new Failure(`time: invalid duration ${quote(text)}`);
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0n;
  if (rest === '') throw invalid();
  let total = 0n;
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest);
    const [whole = '', integer = '', decimals = ''] = number ?? [];
    if (integer === '' && decimals === '') throw invalid();
    rest = rest.slice(whole.length);
    const unit = /^[^.\d]+/.exec(rest)?.[0];
    if (unit === undefined) throw new Failure(`time: missing unit in duration ${quote(text)}`);
    const factor = unitNs.get(unit);
    if (factor === undefined) throw new Failure(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    const digits = decimals.slice(0, 18);
    total += BigInt(integer === '' ? '0' : integer) * factor;
    if (digits !== '') total += (BigInt(digits) * factor) / 10n ** BigInt(digits.length);
    if (total > maxInt64 + 1n) throw invalid();
    rest = rest.slice(unit.length);
  }
  const ns = text.startsWith('-') ? -total : total;
  if (!inDurationRange(ns)) throw invalid();
  return ns;
}

/** Seconds with as many decimals as there are: `5400s`, `-1.5s`. */
export function formatDurationSeconds(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const size = ns < 0n ? -ns : ns;
  return `${sign}${size / nsPerSecond}${fraction(size % nsPerSecond)}s`;
}
