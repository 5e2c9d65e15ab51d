import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const manifest = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

describe('scripts of package.json', () => {
  for (const name of ['up', 'agent', 'service', 'check-machine', 'test', 'fuzz', 'bench', 'faults', 'machine-test'])
    it(`${name} brings packages and generated code in place first: it is run in a new clone`, () =>
      assert.match(manifest.scripts[name] ?? '', /^node server\/cli\/bootstrap\.mjs /));
});
