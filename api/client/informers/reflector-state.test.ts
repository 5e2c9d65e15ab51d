import assert from 'node:assert/strict';
import { resourceExpired, serviceUnavailable, badRequest, forbidden, timeout } from '../../meta/status-errors.ts';
import { StatusError } from '../../meta/status.ts';
import { nextReflectorStep, type ReflectorOutcome, type ReflectorState } from './reflector-state.ts';

const tooLarge = new StatusError({
  ...timeout('Too large resource version').status,
  details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
});
const failed = (error: unknown, resourceVersion = '7'): ReflectorOutcome => ({ kind: 'failed', error, resourceVersion });
const listing = (resourceVersion: string): ReflectorState => ({ phase: 'listing', resourceVersion });
const watching = (resourceVersion: string): ReflectorState => ({ phase: 'watching', resourceVersion });
const streaming = (resourceVersion: string): ReflectorState => ({ phase: 'streaming', resourceVersion });

const table: [string, ReflectorState, ReflectorOutcome, boolean, ReflectorState, boolean][] = [
  ['watches from the list', listing('0'), { kind: 'listed', resourceVersion: '5' }, false, watching('5'), false],
  [
    'resumes from the last version seen',
    watching('5'),
    { kind: 'watch-ended', resourceVersion: '9', lastedMs: 5000, eventCount: 3 },
    false,
    watching('9'),
    false,
  ],
  [
    'backs off from watches that end at once',
    watching('5'),
    { kind: 'watch-ended', resourceVersion: '5', lastedMs: 10, eventCount: 0 },
    false,
    watching('5'),
    true,
  ],
  ['goes on after a cut connection', watching('5'), failed(new Error('ECONNRESET')), false, watching('7'), true],
  ['goes on after a server in trouble', watching('5'), failed(serviceUnavailable('x')), false, watching('7'), true],
  ['lists the newest when its version is gone', watching('5'), failed(resourceExpired('too old')), false, listing(''), false],
  ['lists again when it is refused', watching('5'), failed(forbidden(undefined, '', 'no')), false, listing('7'), true],
  ['lists the newest when the listed version is gone', listing('5'), failed(resourceExpired('too old')), false, listing(''), false],
  ['lists the newest when this server is behind', listing('5'), failed(tooLarge), false, listing(''), true],
  ['tries the list again', listing('0'), failed(new Error('ECONNREFUSED')), false, listing('0'), true],
  ['lists where streaming is not known', streaming(''), failed(badRequest('x')), true, listing(''), false],
  ['streams again after expiry', watching('5'), failed(resourceExpired('too old')), true, streaming(''), false],
  [
    'streams again when cut before the end of the initial part',
    streaming(''),
    { kind: 'watch-ended', resourceVersion: '', lastedMs: 5000, eventCount: 2 },
    true,
    streaming(''),
    true,
  ],
];

describe('nextReflectorStep', () => {
  for (const [name, state, outcome, mayStream, next, backOff] of table) {
    it(name, () => assert.deepEqual(nextReflectorStep(state, outcome, mayStream), { state: next, backOff }));
  }
});
