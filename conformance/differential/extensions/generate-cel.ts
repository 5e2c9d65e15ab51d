import type { JSONSchemaProps, ValidationRule } from '../../../api/types/apiextensions-v1.ts';
import { type Next, pick } from '../custom-resources/generate-schemas.ts';

/** The fields that generated rules speak of, one of each type and of each format that CEL has a type for. */
export const ruleFields: Readonly<Record<string, JSONSchemaProps>> = {
  s: { type: 'string', maxLength: 12 },
  t: { type: 'string', enum: ['a', 'b', ''] },
  i: { type: 'integer', minimum: -5, maximum: 100 },
  n: { type: 'number' },
  b: { type: 'boolean' },
  l: { type: 'array', maxItems: 6, items: { type: 'string', maxLength: 8 } },
  e: { type: 'array', maxItems: 6, items: { type: 'integer' }, 'x-kubernetes-list-type': 'set' },
  m: { type: 'object', maxProperties: 5, additionalProperties: { type: 'integer' } },
  o: { type: 'object', properties: { a: { type: 'string', maxLength: 5 }, b: { type: 'integer' } } },
  q: {
    type: 'array',
    maxItems: 4,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: { type: 'object', required: ['name'], properties: { name: { type: 'string', maxLength: 5 }, v: { type: 'integer' } } },
  },
  x: { 'x-kubernetes-int-or-string': true },
  d: { type: 'string', format: 'date-time', maxLength: 30 },
  u: { type: 'string', format: 'duration', maxLength: 12 },
  y: { type: 'string', format: 'byte', maxLength: 12 },
  z: { type: 'string', maxLength: 8, nullable: true },
  p: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
};

type Kind = 'string' | 'int' | 'double' | 'bool' | 'strings' | 'ints' | 'map' | 'time' | 'duration' | 'bytes';

/** Writes an expression of a kind; now and then one of another kind, which does not compile. */
export function generateExpression(next: Next, kind: Kind, depth: number, self = 'self'): string {
  const wanted = next() < 0.03 ? pick(next, ['string', 'int', 'bool', 'strings'] as const) : kind;
  const of = (other: Kind) => generateExpression(next, other, depth - 1, self);
  const forms =
    depth <= 0 ? leaves[wanted](self) : [...leaves[wanted](self), ...composed[wanted](of, next, self), ...composed[wanted](of, next, self)];
  return pick(next, forms);
}

const leaves: Readonly<Record<Kind, (self: string) => string[]>> = {
  string: (self) => [`${self}.s`, `${self}.t`, `${self}.o.a`, '"a"', '"abc"', '""', "'é'", `${self}.l[0]`, `${self}.z`],
  int: (self) => [`${self}.i`, `${self}.o.b`, '0', '1', '-3', `size(${self}.l)`, `${self}.e[0]`, `${self}.m["k"]`],
  double: (self) => [`${self}.n`, '1.5', '0.0', '-2.25'],
  bool: (self) => [`${self}.b`, 'true', 'false', `has(${self}.s)`, `has(${self}.o.a)`, `has(${self}.p.any)`],
  strings: (self) => [`${self}.l`, '["a", "b"]', '[]'],
  ints: (self) => [`${self}.e`, '[1, 2, 3]', `${self}.q.map(x, x.v)`],
  map: (self) => [`${self}.m`, '{"a": 1}'],
  time: (self) => [`${self}.d`, 'timestamp("2024-02-29T01:02:03Z")'],
  duration: (self) => [`${self}.u`, 'duration("90s")'],
  bytes: (self) => [`${self}.y`, 'b"ab"'],
};

type Of = (kind: Kind) => string;

const composed: Readonly<Record<Kind, (of: Of, next: Next, self: string) => string[]>> = {
  string: (of, next) => [
    `${of('string')} + ${of('string')}`,
    `string(${of(pick(next, ['int', 'double', 'bool', 'time', 'duration', 'string']))})`,
    `${of('string')}.${pick(next, ['lowerAscii()', 'upperAscii()', 'trim()', 'reverse()'])}`,
    `${of('string')}.replace("a", ${of('string')})`,
    `${of('string')}.substring(${of('int')})`,
    `${of('string')}.charAt(${of('int')})`,
    `${of('strings')}.join(",")`,
    `(${of('bool')} ? ${of('string')} : ${of('string')})`,
    `"%s-%d".format([${of('string')}, ${of('int')}])`,
    `${of('string')}.find("[a-z]+")`,
  ],
  int: (of, next) => [
    `${of('int')} ${pick(next, ['+', '-', '*', '/', '%'])} ${of('int')}`,
    `size(${of(pick(next, ['string', 'strings', 'map', 'bytes', 'ints']))})`,
    `int(${of(pick(next, ['string', 'double', 'int', 'time']))})`,
    `${of('string')}.indexOf(${of('string')})`,
    `${of('ints')}.sum()`,
    `${of('ints')}.max()`,
    `${of('time')}.${pick(next, ['getFullYear()', 'getDayOfWeek()', 'getHours("UTC")', 'getMinutes("+01:00")'])}`,
    `${of('duration')}.getSeconds()`,
    `(-${of('int')})`,
  ],
  double: (of) => [
    `${of('double')} * ${of('double')}`,
    `double(${of('int')})`,
    `double(${of('string')})`,
    `${of('double')} / ${of('double')}`,
  ],
  bool: (of, next, self) => [
    `(${of('bool')} && ${of('bool')})`,
    `(${of('bool')} || ${of('bool')})`,
    `!(${of('bool')})`,
    ...(['string', 'int', 'double', 'time', 'duration'] as const).map(
      (kind) => `${of(kind)} ${pick(next, ['<', '<=', '==', '!=', '>'])} ${of(kind)}`,
    ),
    `${of('string')}.${pick(next, ['contains', 'startsWith', 'endsWith', 'matches'])}(${of('string')})`,
    `${of('string')} in ${of('strings')}`,
    `${of('strings')}.${pick(next, ['all', 'exists', 'exists_one'])}(x, x ${pick(next, ['==', '!=', '<'])} ${of('string')})`,
    `${of('ints')}.${pick(next, ['all', 'exists'])}(x, x > ${of('int')})`,
    `${of('map')}.all(k, k != "a" || ${self}.i > 0)`,
    `${self}.q.all(x, x.name.size() > 0 && (!has(x.v) || x.v > ${of('int')}))`,
    `${self}.q.exists(x, x.name == ${of('string')})`,
    `${of('strings')} == ${of('strings')}`,
    `${of('strings')}.isSorted()`,
    `type(${self}.x) == int ? ${self}.x > 1 : ${self}.x == "a"`,
    `${self}.x == ${pick(next, ['1', '"1"', 'self.i', 'self.s'])}`,
    `isURL(${of('string')})`,
    `quantity(${of('string')}).isGreaterThan(quantity("1Mi"))`,
    `isQuantity(${of('string')})`,
    `isIP(${of('string')}) && ip(${of('string')}).family() == 4`,
    `cidr("10.0.0.0/8").containsIP(${of('string')})`,
    `format.dns1123Label().validate(${of('string')}).hasValue()`,
    `${self}.?s.orValue("a") == ${of('string')}`,
    `${self}.?o.?a.hasValue()`,
    `has(${self}.z) && ${self}.z == null`,
    `dyn(${of('string')}) == ${of('int')}`,
    `${self}.o == {"a": "x"}`,
    `${self}.p == self.p`,
    `cel.bind(v, ${of('int')}, v > 1)`,
    `sets.contains(${of('strings')}, ${of('strings')})`,
  ],
  strings: (of) => [
    `${of('strings')}.filter(x, x != ${of('string')})`,
    `${of('strings')}.map(x, x + "a")`,
    `${of('strings')} + ${of('strings')}`,
    `${of('string')}.split(",")`,
    `${of('string')}.findAll("[a-z]")`,
  ],
  ints: (of) => [`${of('ints')}.filter(x, x > ${of('int')})`, `${of('strings')}.map(x, size(x))`],
  map: (of) => [`{${of('string')}: ${of('int')}}`],
  time: (of) => [`${of('time')} + ${of('duration')}`, `timestamp(${of('string')})`],
  duration: (of) => [`${of('duration')} + ${of('duration')}`, `duration(${of('string')})`, `${of('time')} - ${of('time')}`],
  bytes: (of) => [`bytes(${of('string')})`],
};

/** A rule of the object above, one in six about its old value. */
export function generateRule(next: Next): ValidationRule {
  const isTransition = next() < 0.17;
  const expression = generateExpression(next, 'bool', 1 + Math.floor(next() * 3));
  const old = () =>
    pick(next, [
      'oldSelf == self',
      'self.i >= oldSelf.i',
      'self.l.size() >= oldSelf.l.size()',
      '!has(oldSelf.s) || self.s == oldSelf.s',
      `${generateExpression(next, 'int', 1, 'oldSelf')} <= self.i`,
    ]);
  return {
    rule: isTransition ? `${old()} || ${expression}` : expression,
    ...(next() < 0.15 ? { message: pick(next, ['must hold', ' spaced ', 'a "quoted" one']) } : {}),
    ...(next() < 0.25 ? { messageExpression: generateExpression(next, 'string', 2) } : {}),
    ...(next() < 0.1
      ? { reason: pick(next, ['FieldValueInvalid', 'FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate'] as const) }
      : {}),
    ...(next() < 0.1 ? { fieldPath: pick(next, ['.s', '.o.a', '.m', '.q', '.nope', '.l[0]', "['s']"]) } : {}),
    ...(isTransition && next() < 0.1 ? { optionalOldSelf: true } : {}),
  };
}

const values: Readonly<Record<string, readonly unknown[]>> = {
  s: ['', 'a', 'abc', 'ABC', 'é', '10.0.0.1', '5', '1.5', '1Gi', 'a,b', '2m'],
  t: ['a', 'b', ''],
  i: [0, 1, -3, 42, 100],
  n: [0, 1.5, -2.25, 3, 1e300],
  b: [true, false],
  l: [[], ['a'], ['a', 'b'], ['b', 'a', 'a'], ['é', '']],
  e: [[], [1], [3, 1, 2]],
  m: [{}, { a: 1 }, { k: 2, a: -1 }],
  o: [{}, { a: 'x' }, { a: '', b: 2 }],
  q: [
    [],
    [{ name: 'a' }],
    [
      { name: 'a', v: 1 },
      { name: 'b', v: 9 },
    ],
  ],
  x: [1, 5, 'a', '1'],
  d: ['2024-02-29T01:02:03Z', '2023-12-31T23:59:59.5+02:00'],
  u: ['90s', '1h', '0s'],
  y: ['', 'YWI='],
  z: ['a', null],
  p: [{}, { any: 1 }, { any: { b: [1] } }],
};

export function generateRuleObject(next: Next): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(() => next() < 0.8)
      .map(([name, of]) => [name, pick(next, of)]),
  );
}
