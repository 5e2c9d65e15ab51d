import assert from 'node:assert/strict';
import { systemPackages } from '../../../node-agent/linux/survey/system-packages.mjs';
import { type ImageInputs, imageFiles, imageKey, packages, rootFileSystemScript } from './recipe.ts';

const inputs: ImageInputs = { kernelVersion: '6.12.1-1', mirror: 'http://mirror/debian', packageLock: '{}', variant: 'stock' };

describe('machine image: what it is made of', () => {
  for (const changed of [
    { kernelVersion: '6.12.2-1' },
    { mirror: 'http://other/debian' },
    { packageLock: '{"a":1}' },
    { variant: 'cloud' },
    { variant: 'next' },
  ] as const)
    it(`another ${Object.keys(changed)[0]} makes another image`, () =>
      assert.notEqual(imageKey({ ...inputs, ...changed }), imageKey(inputs)));
  it('the same makes the same', () => assert.equal(imageKey({ ...inputs }), imageKey(inputs)));

  it('has every package that `npm run up` would have to fetch', () => {
    const wanted = systemPackages.map(({ apt }) => apt);
    assert.deepEqual(
      wanted.filter((name) => !packages.includes(name)),
      [],
    );
  });

  it('does not load br_netfilter, and has no modules configured: a stock machine has not', () => {
    assert.doesNotMatch(rootFileSystemScript('stock'), /modprobe|br_netfilter/);
    assert.deepEqual(
      [...imageFiles(inputs.mirror, 'stock').keys()].filter((file) => /modules|sysctl/.test(file)),
      [],
    );
  });
});
