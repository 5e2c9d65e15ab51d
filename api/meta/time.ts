import { quote } from '../base/quote.ts';

/**
 * The only file with calendar code. Times are milliseconds since the Unix epoch; on the wire they are RFC 3339 in UTC, with seconds
 * (metav1.Time) or microseconds (metav1.MicroTime).
 */

const layouts = {
  seconds: '2006-01-02T15:04:05Z07:00',
  micro: '2006-01-02T15:04:05.000000Z07:00',
};

/** The error for a time that cannot be parsed, with the message that Go gives. */
export class TimeFormatError extends Error {
  constructor(text: string, problem: string, layout?: string) {
    super(layout === undefined ? `parsing time ${quote(text)}${problem}` : `parsing time ${quote(text)} as ${quote(layout)}: ${problem}`);
    this.name = 'TimeFormatError';
  }
}

/** The second that was formatted last: many times formatted one after the other fall into the same second. */
let formatted = { seconds: 0, text: '1970-01-01T00:00:00Z' };

/** `2006-01-02T15:04:05Z`; fractions of a second are cut off. */
export function formatTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds !== formatted.seconds) formatted = { seconds, text: `${new Date(seconds * 1000).toISOString().slice(0, -5)}Z` };
  return formatted.text;
}

/** A time as a Date, for libraries that take nothing else. */
export function toDate(ms: number): Date {
  return new Date(ms);
}

/** `2006-01-02T15:04:05.000000Z`. */
export function formatMicroTime(ms: number): string {
  const micros = Math.round(ms * 1000);
  const fraction = ((micros % 1_000_000) + 1_000_000) % 1_000_000;
  return `${formatTime((micros - fraction) / 1000).slice(0, -1)}.${String(fraction).padStart(6, '0')}Z`;
}

/** Reads metav1.Time: any RFC 3339 time, also with fractions and an offset. Throws TimeFormatError. */
export function parseTime(text: string): number {
  return parse(text, layouts.seconds);
}

/** Reads metav1.MicroTime, which must have exactly six digits of fraction. Throws TimeFormatError. */
export function parseMicroTime(text: string): number {
  return parse(text, layouts.micro);
}

/** Milliseconds of a wire time of either precision, or undefined where it is absent or no time. */
export function findTime(text: string | null | undefined): number | undefined {
  if (text === undefined || text === null || text === '') return undefined;
  try {
    return parseTime(text);
  } catch (error) {
    if (error instanceof TimeFormatError) return undefined;
    throw error;
  }
}

/** A time in its stored form: UTC, with seconds. */
export function canonicalTime(text: string): string {
  return isCanonicalTime(text) ? text : formatTime(parseTime(text));
}

/** A time in its stored form: UTC, with microseconds. */
export function canonicalMicroTime(text: string): string {
  return formatMicroTime(parseMicroTime(text));
}

const canonical = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** Spares the calendar for nearly all times there are; days after the 28th take the long way. */
function isCanonicalTime(text: string): boolean {
  return canonical.test(text);
}

const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

interface Element {
  readonly pattern: RegExp;
  readonly layout: string;
}

const dateElements: readonly Element[] = [
  { pattern: /^\d{4}/, layout: '2006' },
  { pattern: /^-/, layout: '-' },
  { pattern: /^\d{2}/, layout: '01' },
  { pattern: /^-/, layout: '-' },
  { pattern: /^\d{2}/, layout: '02' },
  { pattern: /^T/, layout: 'T' },
  { pattern: /^\d{1,2}/, layout: '15' },
  { pattern: /^:/, layout: ':' },
  { pattern: /^\d{2}/, layout: '04' },
  { pattern: /^:/, layout: ':' },
  { pattern: /^\d{2}/, layout: '05' },
];
const optionalFraction: Element = { pattern: /^(?:[.,]\d+)?/, layout: '' };
const microFraction: Element = { pattern: /^[.,]\d{6}(?!\d)/, layout: '.000000' };
const zone: Element = { pattern: /^(?:Z|[+-]\d{2}:\d{2})/, layout: 'Z07:00' };

function parse(text: string, layout: string): number {
  const elements = [...dateElements, layout === layouts.micro ? microFraction : optionalFraction, zone];
  const parts: string[] = [];
  let rest = text;
  for (const element of elements) {
    const part = element.pattern.exec(rest)?.[0];
    if (part === undefined) throw new TimeFormatError(text, `cannot parse ${quote(rest)} as ${quote(element.layout)}`, layout);
    parts.push(part);
    rest = rest.slice(part.length);
  }
  if (rest !== '') throw new TimeFormatError(text, `: extra text: ${quote(rest)}`);
  return toMs(text, parts);
}

function toMs(text: string, parts: readonly string[]): number {
  const number = (index: number) => Number(parts[index] ?? 0);
  const [year, month, day, hour, minute, second] = [number(0), number(2), number(4), number(6), number(8), number(10)];
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const lastDay = month === 2 && !isLeapYear ? 28 : (daysInMonth[month - 1] ?? 0);
  if (month < 1 || month > 12) throw new TimeFormatError(text, ': month out of range');
  if (day < 1 || day > lastDay) throw new TimeFormatError(text, ': day out of range');
  if (hour > 23) throw new TimeFormatError(text, ': hour out of range');
  if (minute > 59) throw new TimeFormatError(text, ': minute out of range');
  if (second > 59) throw new TimeFormatError(text, ': second out of range');
  const micros = Number((parts[11] ?? '').slice(1, 7).padEnd(6, '0'));
  const offset = parts[12] ?? 'Z';
  const offsetMinutes = offset === 'Z' ? 0 : (offset[0] === '-' ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4)));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offsetMinutes, second);
  return date.getTime() + micros / 1000;
}

/** Mon, 02 Jan 2006 15:04:05 +0000: as Go's RFC1123Z, in UTC. */
export function formatRFC1123(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000');
}
