import type { CronSchedule } from '../../../api/semantics/workloads/cron-schedule.ts';

/** The time of a wall clock in a time zone. */
interface WallClock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

export interface TimeZone {
  at(ms: number): WallClock;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A zone of the IANA database, undefined where there is none of that name. */
export function findTimeZone(name: string): TimeZone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return {
    at(ms) {
      const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
      const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
      const weekday = weekdays.indexOf(parts.get('weekday') ?? '');
      return {
        year: number('year'),
        month: number('month'),
        day: number('day'),
        weekday,
        hour: number('hour'),
        minute: number('minute'),
        second: number('second'),
      };
    },
  };
}

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** A schedule that has no time in five years has none. */
const horizonMs = 5 * 366 * dayMs;

/** The first time after `afterMs` at which the schedule holds; undefined if there is none (31 February). */
export function nextTimeMs(schedule: CronSchedule, zone: TimeZone, afterMs: number): number | undefined {
  if (schedule.everySeconds !== undefined) return Math.floor(afterMs / 1000) * 1000 + schedule.everySeconds * 1000;
  let ms = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
  const endMs = ms + horizonMs;
  while (ms < endMs) {
    const wall = zone.at(ms);
    // Offsets of less than an hour make whole hours of the zone fall within those of UTC, so steps go by the zone's minutes.
    if (!schedule.months.has(wall.month) || !matchesDay(schedule, wall)) ms = startOfNextDay(zone, ms, wall);
    else if (!schedule.hours.has(wall.hour)) ms += hourMs - wall.minute * minuteMs;
    else if (!schedule.minutes.has(wall.minute)) ms += minuteMs;
    else return ms;
  }
  return undefined;
}

function matchesDay(schedule: CronSchedule, { day, weekday }: WallClock): boolean {
  const byDay = schedule.daysOfMonth.has(day);
  const byWeekday = schedule.daysOfWeek.has(weekday);
  return schedule.anyDayOfMonth || schedule.anyDayOfWeek ? byDay && byWeekday : byDay || byWeekday;
}

/** Days on which the clock is changed are longer or shorter, so it is looked where the day really begins. */
function startOfNextDay(zone: TimeZone, ms: number, wall: WallClock): number {
  let next = ms + dayMs - wall.hour * hourMs - wall.minute * minuteMs;
  const landed = zone.at(next);
  if (landed.day === wall.day) next += dayMs - landed.hour * hourMs - landed.minute * minuteMs;
  else if (landed.hour > 0) {
    const back = next - landed.hour * hourMs - landed.minute * minuteMs;
    if (back > ms && zone.at(back).day !== wall.day) next = back;
  }
  return next;
}

interface Missed {
  /** The last time until now at which the schedule held, undefined if none has come since. */
  readonly lastMs: number | undefined;
  /** How many there were, roughly, and not more than 101. */
  readonly count: number;
}

/** The times since `sinceMs` (exclusive) until now. */
export function missedTimes(schedule: CronSchedule, zone: TimeZone, sinceMs: number, nowMs: number): Missed {
  const firstMs = nextTimeMs(schedule, zone, sinceMs);
  if (firstMs === undefined || firstMs > nowMs) return { lastMs: undefined, count: 0 };
  const secondMs = nextTimeMs(schedule, zone, firstMs);
  if (secondMs === undefined || secondMs > nowMs) return { lastMs: firstMs, count: 1 };
  const count = Math.min(101, Math.floor((nowMs - firstMs) / Math.max(1000, secondMs - firstMs)) + 1);
  // Searches backwards in growing steps until a step contains a scheduled time, so that years of minutes need not be counted.
  for (let spanMs = Math.max(minuteMs, secondMs - firstMs); ; spanMs *= 2) {
    let lastMs = nextTimeMs(schedule, zone, Math.max(sinceMs, nowMs - spanMs));
    if (lastMs === undefined || lastMs > nowMs) continue;
    for (let next = nextTimeMs(schedule, zone, lastMs); next !== undefined && next <= nowMs; next = nextTimeMs(schedule, zone, next))
      lastMs = next;
    return { lastMs, count };
  }
}

/** RFC 3339 in the zone. */
export function formatInZone(ms: number, zone: TimeZone): string {
  const wall = zone.at(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const utc = findTimeZone('UTC')?.at(ms) ?? wall;
  // The offset is the difference between the local and the UTC clock, at most a day.
  const dayDifference =
    wall.day === utc.day ? 0 : wall.year * 372 + wall.month * 31 + wall.day > utc.year * 372 + utc.month * 31 + utc.day ? 1 : -1;
  const offset = dayDifference * 1440 + (wall.hour - utc.hour) * 60 + (wall.minute - utc.minute);
  const suffix = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${wall.year}-${two(wall.month)}-${two(wall.day)}T${two(wall.hour)}:${two(wall.minute)}:${two(wall.second)}${suffix}`;
}
