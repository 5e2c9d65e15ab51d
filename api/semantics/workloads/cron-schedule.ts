/** The error for a schedule that cannot be parsed; the message gives the reason. */
export class CronScheduleError extends Error {
  override readonly name = 'CronScheduleError';
}

/** When a CronJob runs: the values of each field that match. */
export interface CronSchedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** If both day fields are restricted, a day matches when either does; if one is `*`, the other decides. */
  readonly anyDayOfMonth: boolean;
  readonly anyDayOfWeek: boolean;
  /** `@every 1h30m`: instead of the fields. */
  readonly everySeconds?: number;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const minutes: Bounds = { min: 0, max: 59, names: [] };
const hours: Bounds = { min: 0, max: 23, names: [] };
const daysOfMonth: Bounds = { min: 1, max: 31, names: [] };
const months: Bounds = { min: 1, max: 12, names: monthNames };
const daysOfWeek: Bounds = { min: 0, max: 6, names: dayNames };

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Reads the five fields of crontab(5), or a descriptor such as `@daily`. A leading TZ= or CRON_TZ= is left out. Throws CronScheduleError. */
export function parseCronSchedule(text: string): CronSchedule {
  if (text === '') throw new CronScheduleError('empty spec string');
  const spec = text.replace(/^(?:CRON_)?TZ=\S*\s*/, '').trim();
  if (spec.startsWith('@every ')) return parseEvery(spec);
  if (spec.startsWith('@') && !Object.hasOwn(descriptors, spec)) throw new CronScheduleError(`unrecognized descriptor: ${spec}`);
  const fields = (descriptors[spec] ?? spec).split(/\s+/).filter((field) => field !== '');
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  if (fields.length !== 5) throw new CronScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  return {
    minutes: parseField(minute, minutes),
    hours: parseField(hour, hours),
    daysOfMonth: parseField(day, daysOfMonth),
    months: parseField(month, months),
    daysOfWeek: parseField(weekday, daysOfWeek),
    anyDayOfMonth: /^[*?]/.test(day),
    anyDayOfWeek: /^[*?]/.test(weekday),
  };
}

function parseEvery(spec: string): CronSchedule {
  const [, digits = '', unit = ''] = /^@every (\d+)(s|m|h)$/.exec(spec) ?? [];
  if (unit === '') throw new CronScheduleError(`failed to parse duration ${spec}`);
  const everySeconds = Math.max(1, Number(digits) * (unit === 'h' ? 3600 : unit === 'm' ? 60 : 1));
  const none = new Set<number>();
  return {
    minutes: none,
    hours: none,
    daysOfMonth: none,
    months: none,
    daysOfWeek: none,
    anyDayOfMonth: false,
    anyDayOfWeek: false,
    everySeconds,
  };
}

function parseField(field: string, bounds: Bounds): Set<number> {
  return new Set(
    field
      .split(',')
      .filter((part) => part !== '')
      .flatMap((part) => parseRange(part, bounds)),
  );
}

/** `*`, `3`, `mon`, `1-5`, `*\/10`, `1-30/2`, `5/15`. */
function parseRange(expression: string, bounds: Bounds): number[] {
  const [range = '', stepText, ...furtherSteps] = expression.split('/');
  const [first = '', last, ...furtherEnds] = range.split('-');
  if (furtherEnds.length > 0) throw new CronScheduleError(`too many hyphens: ${expression}`);
  if (furtherSteps.length > 0) throw new CronScheduleError(`too many slashes: ${expression}`);
  const isAny = first === '*' || first === '?';
  const start = isAny ? bounds.min : parseValue(first, bounds);
  let end = isAny ? bounds.max : last === undefined ? start : parseValue(last, bounds);
  let step = 1;
  if (stepText !== undefined) {
    step = parseNumber(stepText);
    // `5/15` runs to the end of the range.
    if (!isAny && last === undefined) end = bounds.max;
  }
  if (start < bounds.min) throw new CronScheduleError(`beginning of range (${start}) below minimum (${bounds.min}): ${expression}`);
  if (end > bounds.max) throw new CronScheduleError(`end of range (${end}) above maximum (${bounds.max}): ${expression}`);
  if (start > end) throw new CronScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${expression}`);
  if (step === 0) throw new CronScheduleError(`step of range should be a positive number: ${expression}`);
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => start + index * step);
}

function parseValue(text: string, bounds: Bounds): number {
  const named = bounds.names.indexOf(text.toLowerCase());
  return named >= 0 ? named + bounds.min : parseNumber(text);
}

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new CronScheduleError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (value < 0) throw new CronScheduleError(`negative number (${value}) not allowed: ${text}`);
  return value;
}
