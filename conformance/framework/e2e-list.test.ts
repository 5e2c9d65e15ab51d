import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { e2eSuites } from '../clients/support/e2e-suites.ts';

describe('conformance: the written list of end-to-end suites', () => {
  it('names every suite that there is', () => {
    const folder = path.resolve(import.meta.dirname, '../clients/e2e');
    const there = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.e2e.ts'));
    assert.deepEqual(e2eSuites.map(({ file }) => file).sort(), there.sort());
  });
});
