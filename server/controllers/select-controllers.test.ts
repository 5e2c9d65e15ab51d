import assert from 'node:assert/strict';
import { selectControllers } from './select-controllers.ts';

describe('selecting controllers', () => {
  const controllers = [{ name: 'job-controller' }, { name: 'namespace-controller' }, { name: 'ttl-controller' }];
  const cases: [string[], string[]][] = [
    [['*'], ['job-controller', 'namespace-controller', 'ttl-controller']],
    [
      ['*', '-job-controller'],
      ['namespace-controller', 'ttl-controller'],
    ],
    [
      ['-job-controller', '*'],
      ['namespace-controller', 'ttl-controller'],
    ],
    [
      ['ttl-controller', 'job-controller'],
      ['job-controller', 'ttl-controller'],
    ],
    [['-ttl-controller'], []],
    [[], []],
  ];
  for (const [enabled, expected] of cases)
    it(`'${enabled.join(',')}' enables ${expected.join(', ') || 'none'}`, () =>
      assert.deepEqual(
        selectControllers(controllers, enabled).map(({ name }) => name),
        expected,
      ));
  for (const enabled of ['job', '-job', '-'])
    it(`'${enabled}' is refused`, () =>
      assert.throws(() => selectControllers(controllers, [enabled]), /is not in the list of known controllers$/));
});
