import assert from 'node:assert/strict';
import { chooseAdmissionPlugins } from './choose-plugins.ts';

describe('chooseAdmissionPlugins', () => {
  const plugin = (name: string) => ({ name, operations: [] });
  const [a, b, off] = [plugin('A'), plugin('B'), plugin('Off')];
  const namesOf = (choice: Parameters<typeof chooseAdmissionPlugins>[1]) =>
    chooseAdmissionPlugins({ all: [a, off, b], offByDefault: [off] }, choice).map(({ name }) => name);

  it('runs all but those that are off by default', () => assert.deepEqual(namesOf({}), ['A', 'B']));
  it('keeps the order of those that are enabled', () => assert.deepEqual(namesOf({ enable: ['Off', 'A'] }), ['A', 'Off', 'B']));
  it('leaves out what is disabled', () => assert.deepEqual(namesOf({ disable: ['A'] }), ['B']));
  it('refuses names that mean nothing, or both', () => {
    assert.throws(() => namesOf({ enable: ['C'] }), { message: 'enable-admission-plugins plugin "C" is unknown' });
    assert.throws(() => namesOf({ disable: ['C'] }), { message: 'disable-admission-plugins plugin "C" is unknown' });
    assert.throws(() => namesOf({ enable: ['A'], disable: ['A'] }), {
      message: '[A] in enable-admission-plugins and disable-admission-plugins overlapped',
    });
  });
});
