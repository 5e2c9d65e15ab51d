import assert from 'node:assert/strict';
import { ProtobufReader } from '../protobuf/wire.ts';
import { encodeOpenAPIV2 } from './openapi-v2-protobuf.ts';

type Tree = [number, string | bigint | Tree][];

/** Reads a message whose values at the given paths of field numbers are texts, and messages everywhere else. */
function readTree(bytes: Uint8Array, texts: ReadonlySet<string>, path = ''): Tree {
  const reader = new ProtobufReader(bytes);
  const tree: Tree = [];
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    const at = `${path}.${number}`;
    if (type === 0) tree.push([number, reader.varint()]);
    else tree.push([number, texts.has(at) ? reader.text() : readTree(reader.bytes(), texts, at)]);
  }
  return tree;
}

describe('OpenAPI v2 in protobuf', () => {
  const encode = (document: unknown) => encodeOpenAPIV2(Buffer.from(JSON.stringify(document)));

  it('puts schemas and their extensions where gnostic reads them', () => {
    const bytes = encode({
      swagger: '2.0',
      definitions: {
        A: {
          type: 'object',
          required: ['a'],
          properties: { a: { type: 'array', items: { $ref: '#/definitions/B' } }, b: { additionalProperties: { format: 'int32' } } },
          'x-kubernetes-list-map-keys': ['name'],
        },
      },
    });
    const schema = '.9.1.2';
    const texts = ['.1', '.9.1.1', `${schema}.22.1`, `${schema}.19`, `${schema}.25.1.1`, `${schema}.25.1.2.22.1`];
    texts.push(`${schema}.25.1.2.23.1.1`, `${schema}.25.1.2.21.1.2`, `${schema}.31.1`, `${schema}.31.2.2`);
    const properties: Tree = [
      [
        1,
        [
          [1, 'a'],
          [
            2,
            [
              [22, [[1, 'array']]],
              [23, [[1, [[1, '#/definitions/B']]]]],
            ],
          ],
        ],
      ],
      [
        1,
        [
          [1, 'b'],
          [2, [[21, [[1, [[2, 'int32']]]]]]],
        ],
      ],
    ];
    assert.deepEqual(readTree(bytes, new Set(texts)), [
      [1, '2.0'],
      [
        9,
        [
          [
            1,
            [
              [1, 'A'],
              [
                2,
                [
                  [19, 'a'],
                  [22, [[1, 'object']]],
                  [25, properties],
                  [
                    31,
                    [
                      [1, 'x-kubernetes-list-map-keys'],
                      [2, [[2, '- name\n']]],
                    ],
                  ],
                ],
              ],
            ],
          ],
        ],
      ],
    ]);
  });

  it('wraps parameters by where they stand', () => {
    const parameters = [
      { in: 'body', name: 'body', required: true },
      { in: 'query', name: 'q', type: 'string', uniqueItems: true },
      { in: 'path', name: 'p', type: 'string', uniqueItems: true },
    ];
    const bytes = encode({ paths: { '/x': { parameters } } });
    const item = '.8.2.2.9.1';
    const texts = ['.8.2.1', `${item}.1.2`, `${item}.1.3`];
    for (const kind of ['3', '4']) texts.push(...['2', '4', '5', '6'].map((field) => `${item}.2.${kind}.${field}`));
    assert.deepEqual(readTree(bytes, new Set(texts)), [
      [
        8,
        [
          [
            2,
            [
              [1, '/x'],
              [
                2,
                [
                  [
                    9,
                    [
                      [
                        1,
                        [
                          [
                            1,
                            [
                              [2, 'body'],
                              [3, 'body'],
                              [4, 1n],
                            ],
                          ],
                        ],
                      ],
                    ],
                  ],
                  [
                    9,
                    [
                      [
                        1,
                        [
                          [
                            2,
                            [
                              [
                                3,
                                [
                                  [2, 'query'],
                                  [4, 'q'],
                                  [6, 'string'],
                                  [20, 1n],
                                ],
                              ],
                            ],
                          ],
                        ],
                      ],
                    ],
                  ],
                  [
                    9,
                    [
                      [
                        1,
                        [
                          [
                            2,
                            [
                              [
                                4,
                                [
                                  [2, 'path'],
                                  [4, 'p'],
                                  [5, 'string'],
                                  [19, 1n],
                                ],
                              ],
                            ],
                          ],
                        ],
                      ],
                    ],
                  ],
                ],
              ],
            ],
          ],
        ],
      ],
    ]);
  });

  it('refuses what it has no place for', () => assert.throws(() => encode({ nope: 1 }), /a field nope that has no place/));
});
