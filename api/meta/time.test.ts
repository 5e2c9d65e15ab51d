import assert from 'node:assert/strict';
import * as time from './time.ts';
import { formatAge, formatDuration, parseDurationMs } from './duration.ts';

describe('time', () => {
  it('reads and writes seconds and microseconds', () => {
    const ms = Date.UTC(2024, 1, 29, 23, 5, 9, 123);
    assert.equal(time.formatTime(ms), '2024-02-29T23:05:09Z');
    assert.equal(time.formatMicroTime(ms + 0.456), '2024-02-29T23:05:09.123456Z');
    assert.equal(time.parseTime('2024-02-29T23:05:09Z'), ms - 123);
    assert.equal(time.parseTime('2024-03-01T01:05:09.123+02:00'), ms);
    assert.equal(time.parseMicroTime('2024-02-29T23:05:09.123456Z'), ms + 0.456);
    assert.equal(time.parseTime('0001-01-01T00:00:00Z'), -62135596800000);
    assert.equal(time.formatTime(-62135596800000), '0001-01-01T00:00:00Z');
    assert.equal(time.canonicalTime('2024-03-01T01:05:09.123+02:00'), '2024-02-29T23:05:09Z');
    assert.equal(time.findTime(undefined), undefined);
    assert.equal(time.findTime('soon'), undefined);
  });

  const bad: [string, string][] = [
    ['', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ['yesterday', 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'],
    ['2024-01-01', 'parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ['2023-02-29T00:00:00Z', 'parsing time "2023-02-29T00:00:00Z": day out of range'],
    ['2023-02-01T00:00:00Zx', 'parsing time "2023-02-01T00:00:00Zx": extra text: "x"'],
  ];
  for (const [text, message] of bad) it(message, () => assert.throws(() => time.parseTime(text), { message }));

  it('a MicroTime needs its six digits', () => {
    assert.throws(() => time.parseMicroTime('2024-01-01T00:00:00Z'), {
      message: 'parsing time "2024-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    });
  });
});

describe('durations', () => {
  it('parse as in Go', () => {
    assert.equal(parseDurationMs('1h30m'), 5_400_000);
    assert.equal(parseDurationMs('-1.5s'), -1500);
    assert.equal(parseDurationMs('0'), 0);
    assert.throws(() => parseDurationMs('10'), { message: 'time: missing unit in duration "10"' });
    assert.throws(() => parseDurationMs('10d'), { message: 'time: unknown unit "d" in duration "10d"' });
    assert.throws(() => parseDurationMs('x'), { message: 'time: invalid duration "x"' });
  });
  it('format as in Go', () => {
    const cases: [number, string][] = [
      [0, '0s'],
      [5_400_000, '1h30m0s'],
      [-1500, '-1.5s'],
      [60_000, '1m0s'],
      [100, '100ms'],
      [0.0015, '1.5µs'],
    ];
    for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
  });
  it('ages are short', () => {
    const cases: [number, string][] = [
      [-5, '<invalid>'],
      [0, '0s'],
      [119, '119s'],
      [125, '2m5s'],
      [600, '10m'],
      [3 * 3600, '3h'],
      [3 * 3600 + 60, '3h1m'],
      [9 * 3600, '9h'],
      [50 * 3600, '2d2h'],
      [10 * 86400, '10d'],
      [800 * 86400, '2y70d'],
      [3000 * 86400, '8y'],
    ];
    for (const [seconds, text] of cases) assert.equal(formatAge(seconds * 1000), text);
  });
});
