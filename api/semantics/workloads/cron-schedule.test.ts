import assert from 'node:assert/strict';
import { parseCronSchedule } from './cron-schedule.ts';

describe('cron schedules', () => {
  it('fields, lists, ranges, steps and names', () => {
    const schedule = parseCronSchedule('*/20 1,3 1-10/4 * mon-wed');
    assert.deepEqual([...schedule.minutes], [0, 20, 40]);
    assert.deepEqual([...schedule.hours], [1, 3]);
    assert.deepEqual([...schedule.daysOfMonth], [1, 5, 9]);
    assert.equal(schedule.months.size, 12);
    assert.deepEqual([...schedule.daysOfWeek], [1, 2, 3]);
    assert.deepEqual([...parseCronSchedule('50/5 * * * *').minutes], [50, 55]);
    assert.deepEqual([...parseCronSchedule('@weekly').daysOfWeek], [0]);
  });
  const broken: [string, string][] = [
    ['', 'empty spec string'],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-3 * * * *', 'beginning of range (5) beyond end of range (3): 5-3'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['@never', 'unrecognized descriptor: @never'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ];
  for (const [text, message] of broken)
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseCronSchedule(text), { message }));
});
