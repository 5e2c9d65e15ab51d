import assert from 'node:assert/strict';
import { findPreparation, parseMicroseconds } from './login-messages.ts';

const message = (fields: object) =>
  JSON.stringify({
    ...{ type: 'signal', endian: 'l', flags: 1, version: 1, cookie: 71, 'timestamp-realtime': 1785512345678901 },
    ...{ sender: ':1.3', path: '/org/freedesktop/login1', interface: 'org.freedesktop.login1.Manager', member: 'PrepareForShutdown' },
    ...{ payload: { type: 'b', data: [true] } },
    ...fields,
  });

describe("messages of systemd's login manager", () => {
  for (const [name, line, found] of [
    ['a shutdown that begins', message({}), true],
    ['a shutdown that is called off', message({ payload: { type: 'b', data: [false] } }), false],
    ['another signal', message({ member: 'SessionNew' }), undefined],
    ['a method call of that name', message({ type: 'method_call' }), undefined],
    ['a message without a value', message({ payload: { type: '', data: [] } }), undefined],
    ['no message', 'Monitoring bus message stream.', undefined],
    ['no object', 'null', undefined],
  ] as const)
    it(`tell of ${name}`, () => assert.equal(findPreparation(line), found));

  it('have times in microseconds', () => {
    assert.equal(parseMicroseconds('t 5000000\n'), 5_000_000);
    assert.throws(() => parseMicroseconds('b true'), /"b true" is no number of microseconds/);
  });
});
