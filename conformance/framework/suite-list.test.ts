import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../suite/suite.ts';

const folder = path.resolve(import.meta.dirname, '../suite');

describe('conformance: the written list of tests', () => {
  it('names every file that declares a test', async () => {
    const declared: string[] = [];
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts') || entry === 'suite.ts') continue;
      if (readFileSync(path.join(folder, entry), 'utf8').includes('export default conformanceTest(')) declared.push(entry);
    }
    assert.ok(declared.length >= 20, `only ${declared.length} tests were found`);
    for (const file of declared) {
      const { default: test } = (await import(path.join(folder, file))) as { default: (typeof suite)[number] };
      assert.ok(suite.includes(test), `suite.ts does not name ${file}`);
      assert.equal(test.name.startsWith(`[${file.split(path.sep)[0]}] `), true, `${file} is in another folder than its SIG's`);
    }
    assert.equal(suite.length, declared.length);
  });

  it('has every name once, in the form of upstream', () => {
    const names = suite.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^\[sig-[a-z-]+\] \S.* \[Conformance\]$/);
    for (const { release, behavior } of suite) {
      assert.match(release, /^v1\.\d+$/);
      assert.match(behavior, /MUST/);
    }
  });
});
