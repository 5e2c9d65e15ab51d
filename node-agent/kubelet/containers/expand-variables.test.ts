import assert from 'node:assert/strict';
import { expandVariables } from './expand-variables.ts';

describe('expandVariables', () => {
  const values: Record<string, string> = { A: 'a', EMPTY: '', 'x.y': 'dotted' };
  const cases: [string, string][] = [
    ['', ''],
    ['$(A)', 'a'],
    ['<$(A)-$(A)>', '<a-a>'],
    ['$(EMPTY)', ''],
    ['$(x.y)', 'dotted'],
    ['$(MISSING)', '$(MISSING)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$$$$(A)', '$$(A)'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['100$', '100$'],
    ['$()', '$()'],
  ];
  for (const [text, expected] of cases) {
    it(JSON.stringify(text), () =>
      assert.equal(
        expandVariables(text, (name) => values[name]),
        expected,
      ),
    );
  }
});
