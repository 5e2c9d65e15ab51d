import assert from 'node:assert/strict';
import { findCycles } from './import-cycles.ts';
import { importsOf, sources } from './sources.ts';

const edgesOf = (graph: Readonly<Record<string, readonly string[]>>) =>
  new Map(Object.entries(graph).map(([from, to]) => [from, new Set(to)]));

describe('findCycles', () => {
  const cases: readonly [string, Readonly<Record<string, readonly string[]>>, readonly (readonly string[])[]][] = [
    ['nothing in a tree', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, []],
    ['two files that import each other', { a: ['b'], b: ['a'] }, [['a', 'b']]],
    ['a longer way round', { a: ['b'], b: ['c'], c: ['d'], d: ['b'] }, [['b', 'c', 'd']]],
    [
      'two cycles apart',
      { a: ['b'], b: ['a', 'c'], c: ['d'], d: ['c'] },
      [
        ['c', 'd'],
        ['a', 'b'],
      ],
    ],
    ['cycles that share a file are one', { a: ['b', 'c'], b: ['a'], c: ['a'] }, [['a', 'b', 'c']]],
    ['a way back into a finished part is none', { a: ['b', 'c'], b: ['d'], c: ['d'], d: ['e'], e: [] }, []],
  ];
  for (const [name, graph, expected] of cases) it(name, () => assert.deepEqual(findCycles(edgesOf(graph)), expected));
});

describe('architecture: import cycles', function () {
  this.timeout(180_000);

  it('no file imports itself on any way, not even types', () => {
    const edges = new Map(sources().map((file) => [file.path, new Set(importsOf(file).map(({ to }) => to))]));
    assert.deepEqual(findCycles(edges), []);
  });
});
