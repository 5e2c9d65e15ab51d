import assert from 'node:assert/strict';
import { diffJSON } from './json-diff.ts';
import { defineResource } from './define-resource.ts';
import { textColumn, wideColumn } from './columns.ts';
import { toTable } from './table.ts';

const plain = defineResource({ group: '', version: 'v1', scope: 'Cluster', names: { kind: 'Toy', plural: 'toys' }, definition: 'Toy' });
const columned = defineResource({
  ...plain,
  printerColumns: [textColumn('Name', ({ metadata }) => metadata.name ?? ''), wideColumn('UID', ({ metadata }) => metadata.uid ?? '')],
  rowConditions: () => [{ type: 'Completed', status: 'True' }],
});
const toy = { kind: 'Toy', metadata: { name: 'x', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' } };
const options = { nowMs: 0 };

describe('tables', () => {
  it('kinds without columns have Name and Created At', () => {
    const { columnDefinitions, rows } = toTable(plain, [toy], {}, options);
    assert.deepEqual(
      columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority]),
      [
        ['Name', 'string', 'name', 0],
        ['Created At', 'date', '', 0],
      ],
    );
    assert.deepEqual(rows[0]?.cells, ['x', '2026-01-01T00:00:00Z']);
  });
  it('rows carry metadata, the object, or nothing', () => {
    const object = (includeObject: 'None' | 'Metadata' | 'Object') =>
      toTable(plain, [toy], {}, { ...options, includeObject }).rows[0]?.object;
    assert.deepEqual(object('Metadata'), { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: toy.metadata });
    assert.equal(object('Object'), toy);
    assert.equal(object('None'), null);
  });
  it('conditions, wide columns, metadata of the list', () => {
    const table = toTable(columned, [toy], { resourceVersion: '7', continue: 'c', remainingItemCount: 3 }, options);
    assert.deepEqual(table.metadata, { resourceVersion: '7', continue: 'c', remainingItemCount: 3 });
    assert.deepEqual(table.rows[0]?.conditions, [{ type: 'Completed', status: 'True' }]);
    assert.equal(table.columnDefinitions[1]?.priority, 1);
    assert.deepEqual(toTable(columned, [], {}, { ...options, noHeaders: true }).columnDefinitions, []);
  });
});

describe('differences of JSON', () => {
  it('nothing for what is alike, whatever the order of fields', () => assert.equal(diffJSON({ a: 1, b: 2 }, { b: 2, a: 1 }), ''));
  it('hunks with three lines around', () => {
    const list = Array.from({ length: 20 }, (_, index) => index);
    assert.equal(
      diffJSON(list, list.with(2, 99).with(17, 98)),
      [
        '@@ -1,7 +1,7 @@',
        ' [',
        '  0,',
        '  1,',
        '- 2,',
        '+ 99,',
        '  3,',
        '  4,',
        '  5,',
        '@@ -16,7 +16,7 @@',
        '  14,',
        '  15,',
        '  16,',
        '- 17,',
        '+ 98,',
        '  18,',
        '  19',
        ' ]',
        '',
      ].join('\n'),
    );
  });
  it('additions and removals', () =>
    assert.equal(diffJSON(['a', 'b'], ['b', 'c']), '@@ -1,4 +1,4 @@\n [\n- "a",\n- "b"\n+ "b",\n+ "c"\n ]\n'));
});
