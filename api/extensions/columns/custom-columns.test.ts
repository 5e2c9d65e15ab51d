import assert from 'node:assert/strict';
import { tableColumns, tableRow } from '../../resource/table.ts';
import type { KubeObject } from '../../meta/object.ts';
import type { CustomResourceColumnDefinition } from '../../types/apiextensions-v1.ts';
import { toStorageDefinition } from '../to-definitions.ts';
import { parseJSONPath } from './json-path.ts';

const nowMs = Date.UTC(2024, 0, 2);

function definitionWith(columns: CustomResourceColumnDefinition[], selectable: string[] = []) {
  const definition = toStorageDefinition({
    metadata: { name: 'ts.e.x' },
    spec: {
      group: 'e.x',
      scope: 'Namespaced',
      names: { plural: 'ts', kind: 'T' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
        },
      ],
    },
  });
  assert.ok(definition);
  return definition;
}

const object = {
  apiVersion: 'e.x/v1',
  kind: 'T',
  metadata: { name: 'a', creationTimestamp: '2024-01-01T00:00:00Z', labels: { 'a.b/c': 'l' } },
  spec: {
    text: 'x',
    count: 3,
    share: 1.5,
    on: true,
    list: [1, 'two', { k: 'v' }],
    nothing: null,
    when: '2024-01-01T12:00:00Z',
    odd: 'soon',
    big: 1234567.5,
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', n: 2 },
      { type: 'Synced', status: 'False', n: 5 },
    ],
  },
} as unknown as KubeObject;

function cellOf(type: string, jsonPath: string): unknown {
  return tableRow(definitionWith([{ name: 'C', type, jsonPath }]), object, { nowMs }).cells[1];
}

describe('the columns of a custom kind', () => {
  it('are the name and the age by default', () => {
    const definition = definitionWith([]);
    assert.deepEqual(
      tableColumns(definition).map(({ name, type, priority }) => [name, type, priority]),
      [
        ['Name', 'string', 0],
        ['Age', 'date', 0],
      ],
    );
    assert.deepEqual(tableRow(definition, object, { nowMs }).cells, ['a', '24h']);
  });

  it('say where they come from', () => {
    const columns = tableColumns(definitionWith([{ name: 'C', type: 'string', jsonPath: '.spec.text', priority: 1, format: 'byte' }]));
    assert.deepEqual(columns[1], {
      name: 'C',
      type: 'string',
      format: 'byte',
      priority: 1,
      description: 'Custom resource definition column (in JSONPath format): .spec.text',
    });
  });

  it('end at a path that cannot be read', () => {
    const column = (name: string, jsonPath: string) => ({ name, type: 'string', jsonPath });
    const columns = tableColumns(definitionWith([column('A', '.spec'), column('B', '.spec[x'), column('C', '.spec')]));
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['Name', 'A'],
    );
  });

  // Verified beside kube-apiserver v1.32.
  const cases: [type: string, path: string, cell: unknown][] = [
    ['string', '.spec.text', 'x'],
    ['string', '.spec.count', '3'],
    ['string', '.spec.share', '1.5'],
    ['string', '.spec.big', '1.2345675e+06'],
    ['string', '.spec.on', 'true'],
    ['string', '.spec.list', '[1,"two",{"k":"v"}]'],
    ['string', '.spec.nothing', '<no value>'],
    ['string', '.spec.missing.deep', null],
    ['integer', '.spec.count', 3],
    ['integer', '.spec.share', 1],
    ['integer', '.spec.text', null],
    ['number', '.spec.share', 1.5],
    ['number', '.spec.count', 3],
    ['boolean', '.spec.on', true],
    ['boolean', '.spec.text', null],
    ['date', '.spec.when', '12h'],
    ['date', '.spec.odd', '<invalid>'],
    ['date', '.spec.count', null],
    ['string', '.spec.list[1]', 'two'],
    ['string', '.spec.list[-1].k', 'v'],
    ['string', '.spec.list[7]', null],
    ['string', '.spec.text[0]', null],
    ['string', '.status.conditions[?(@.type=="Synced")].status', 'False'],
    ['string', ".status.conditions[?(@.type == 'Ready')].status", 'True'],
    ['string', '.status.conditions[?(@.n>2)].type', 'Synced'],
    ['string', '.status.conditions[*].type', 'Ready'],
    ['string', '.metadata.labels.a\\.b/c', 'l'],
    ['string', ".metadata.labels['a\\.b/c']", 'l'],
    ['string', ".metadata.labels['a.b/c']", null],
    ['string', '..status', '{"conditions":[{"type":"Ready","status":"True","n":2},{"type":"Synced","status":"False","n":5}]}'],
  ];
  for (const [type, path, cell] of cases) it(`${path} as ${type}`, () => assert.deepEqual(cellOf(type, path), cell));
});

describe('the selectable fields of a custom kind', () => {
  it('are texts', () => {
    const { selectableFields } = definitionWith([], ['.spec.text', '.spec.count', '.spec.on', '.spec.missing']);
    assert.deepEqual(
      Object.entries(selectableFields).map(([name, read]) => [name, read(object)]),
      [
        ['spec.text', 'x'],
        ['spec.count', '3'],
        ['spec.on', 'true'],
        ['spec.missing', ''],
      ],
    );
  });
});

describe('a JSONPath', () => {
  it('leads to no more values than fit', () => {
    let wide: unknown = [];
    for (let depth = 0; depth < 20; depth++) wide = [wide, wide, wide];
    assert.throws(() => parseJSONPath('..x').find(wide), { message: 'the path leads to too many values' });
  });
  for (const text of ['.', '[', '[?(@.a', "['a", '.a]', '[1:2:0]'])
    it(`is not ${text}`, () =>
      text === '.' ? assert.deepEqual(parseJSONPath(text).find(1), [1]) : assert.throws(() => parseJSONPath(text)));
});
