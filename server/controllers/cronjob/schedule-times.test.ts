import assert from 'node:assert/strict';
import { parseCronSchedule } from '../../../api/semantics/workloads/cron-schedule.ts';
import { findTimeZone, formatInZone, missedTimes, nextTimeMs } from './schedule-times.ts';

const zone = (name: string) => findTimeZone(name) ?? assert.fail(name);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('nextTimeMs', () => {
  const table: [string, string, string, string | undefined][] = [
    ['*/5 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00.000Z'],
    ['*/5 * * * *', 'UTC', '2026-01-01T00:04:59Z', '2026-01-01T00:05:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 0 31 2 *', 'UTC', '2026-01-01T00:00:00Z', undefined],
    ['30 9 * * mon', 'UTC', '2026-01-01T00:00:00Z', '2026-01-05T09:30:00.000Z'],
    ['0 0 13 * fri', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['0 9 * * *', 'America/New_York', '2026-01-01T00:00:00Z', '2026-01-01T14:00:00.000Z'],
    ['0 9 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-01T03:30:00.000Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-30T00:30:00.000Z'],
    ['0 0 * * *', 'Europe/Berlin', '2026-03-28T23:30:00Z', '2026-03-29T22:00:00.000Z'],
    ['0 0 * * *', 'Europe/Berlin', '2026-10-24T22:30:00Z', '2026-10-25T23:00:00.000Z'],
    ['@hourly', 'UTC', '2026-01-01T00:30:00Z', '2026-01-01T01:00:00.000Z'],
    ['@every 90s', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:01:30.000Z'],
  ];
  for (const [schedule, name, after, expected] of table) {
    it(`${schedule} in ${name} after ${after}`, () => {
      assert.equal(iso(nextTimeMs(parseCronSchedule(schedule), zone(name), Date.parse(after))), expected);
    });
  }
});

describe('missedTimes', () => {
  const now = Date.parse('2026-01-10T12:34:00Z');
  const table: [string, string, string | undefined, number][] = [
    ['0 * * * *', '2026-01-10T12:00:00Z', undefined, 0],
    ['0 * * * *', '2026-01-10T11:59:00Z', '2026-01-10T12:00:00.000Z', 1],
    ['0 * * * *', '2026-01-10T08:30:00Z', '2026-01-10T12:00:00.000Z', 4],
    ['* * * * *', '2020-01-01T00:00:00Z', '2026-01-10T12:34:00.000Z', 101],
    ['0 0 1 * *', '2025-06-01T00:00:00Z', '2026-01-01T00:00:00.000Z', 7],
  ];
  for (const [schedule, since, last, count] of table) {
    it(`${schedule} since ${since}`, () => {
      const missed = missedTimes(parseCronSchedule(schedule), zone('UTC'), Date.parse(since), now);
      assert.equal(iso(missed.lastMs), last);
      if (count < 100) assert.ok(Math.abs(missed.count - count) <= 1, String(missed.count));
      else assert.equal(missed.count, count);
    });
  }
});

describe('formatInZone', () => {
  const ms = Date.parse('2026-01-01T02:05:00Z');
  for (const [name, expected] of [
    ['UTC', '2026-01-01T02:05:00Z'],
    ['America/New_York', '2025-12-31T21:05:00-05:00'],
    ['Asia/Kolkata', '2026-01-01T07:35:00+05:30'],
  ] as const) {
    it(name, () => assert.equal(formatInZone(ms, zone(name)), expected));
  }
});
