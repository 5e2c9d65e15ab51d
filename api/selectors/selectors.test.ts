import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeFieldValue, FieldMatcher, parseFieldSelector, requireSupportedFields } from './field-selector.ts';
import { LabelMatcher, toLabelMatcher } from './label-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';

const times = (count: number, work: () => unknown) => {
  for (let index = 0; index < count; index++) work();
};

/** Processor time of the fastest of five runs, in milliseconds. */
function leastMs(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

describe('label selectors', () => {
  const formatted: [string, string][] = [
    ['', ''],
    ['a=b', 'a=b'],
    ['x in (a, c ,b)', 'x in (a,b,c)'],
    ['z,!y , x==1', 'x==1,!y,z'],
    ['x notin ()', 'x notin ()'],
    ['x in (,)', 'x in ()'],
    ['x in (foo,,baz)', 'x in (,baz,foo)'],
    ['x=', 'x='],
    ['x=,y=', 'x=,y='],
    ['in in (in)', 'in in (in)'],
    ['x>1,y<2', 'x>1,y<2'],
    ['a.b/c!=d', 'a.b/c!=d'],
    [' a , !b,c in(x) ', 'a,!b,c in (x)'],
    ['in,notin', 'in,notin'],
    ['a notin (b,)', 'a notin (,b)'],
    ['a=,b', 'a=,b'],
    ['a>0000000000000000001', 'a>0000000000000000001'],
  ];
  for (const [text, expected] of formatted) {
    it(`${JSON.stringify(text)} reads ${JSON.stringify(expected)}`, () => assert.equal(parseLabelSelector(text).toString(), expected));
  }

  const matching: [string, Record<string, string>, boolean][] = [
    ['a=b', { a: 'b' }, true],
    ['a=b', {}, false],
    ['a!=b', {}, true],
    ['a notin (b)', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['n>5', { n: '6' }, true],
    ['n>5', { n: 'x' }, false],
    ['toString', {}, false],
    ['a=b,c=d', { a: 'b', c: 'e' }, false],
  ];
  for (const [text, labels, expected] of matching) {
    it(`${text} on ${JSON.stringify(labels)}: ${expected}`, () => assert.equal(parseLabelSelector(text).matches(labels), expected));
  }

  const bad: [string, string][] = [
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['=b', "found '=', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['ain (x)', "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"],
    ['!a in (x)', "found 'in', expected: ',' or 'end of string'"],
    ['a,b,,', "found ',', expected: identifier after ','"],
    ['a in (x y)', "unable to parse requirement: found 'y', expected: ',' or ')'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['n>x', `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`],
    [
      '_a=b',
      `unable to parse requirement: <nil>: Invalid value: "_a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  ];
  for (const [text, message] of bad) it(`refuses ${text}`, () => assert.throws(() => parseLabelSelector(text), { message }));

  it('decide the same however many requirements there are', () => {
    const key = fc.constantFrom('a', 'b', 'toString');
    const value = fc.constantFrom('', '1', '5', 'x');
    const requirement = fc.oneof(
      fc
        .tuple(key, fc.constantFrom('=', '==', '!=', '>5', '<5', '>1'), value)
        .map(([k, sign, v]) => k + sign + (sign.length > 1 && sign !== '==' && sign !== '!=' ? '' : v)),
      fc
        .tuple(key, fc.constantFrom('in', 'notin'), fc.array(value, { minLength: 1 }))
        .map(([k, sign, v]) => `${k} ${sign} (${v.join(',')})`),
      key,
      key.map((k) => `!${k}`),
    );
    fc.assert(
      fc.property(fc.array(requirement, { minLength: 1, maxLength: 5 }), fc.dictionary(key, value), (parts, labels) => {
        const many = [parts, parts, parts, parts, parts, parts, parts, parts, parts].flat();
        const expected = parts.every((part) => parseLabelSelector(part).matches(labels));
        assert.equal(parseLabelSelector(parts.join(',')).matches(labels), expected);
        assert.equal(parseLabelSelector(many.join(',')).matches(labels), expected);
      }),
      { numRuns: 1000 },
    );
  });

  const longest = 128 * 1024;
  const shapes: [string, (index: number) => string][] = [
    ['sets', (index) => `a${index} in (x,y${index})`],
    ['keys', () => 'a'],
    ['absent keys', (index) => `!a${index}`],
    ['prefixed keys', (index) => `a.b/c${index}`],
    ['many comparisons of one label', (index) => `a>${index}`],
    ['refused values of one label', (index) => `a!=${index}`],
  ];
  for (const [what, part] of shapes)
    it(`as long as the head of a request are read and matched with little work: ${what}`, () => {
      const parts: string[] = [];
      for (let length = 0; length < longest; length += (parts.at(-1)?.length ?? 0) + 1) parts.push(part(parts.length));
      const read = () => parseLabelSelector(parts.join(','));
      const matcher = read();
      const labels = { b: '1', a: 'z' };
      matcher.matches(labels);
      const [reading, matching] = [leastMs(read), leastMs(() => times(1000, () => matcher.matches(labels)))];
      assert.ok(reading < 60, `${reading} ms to read`);
      assert.ok(matching < 60, `${matching} us to match`);
    });

  it('objects', () => {
    assert.equal(toLabelMatcher(undefined).matches({}), false);
    assert.equal(toLabelMatcher({}).matches({ a: 'b' }), true);
    const matcher = toLabelMatcher({ matchLabels: { b: '1' }, matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['2', '1'] }] });
    assert.equal(matcher.toString(), 'a notin (1,2),b=1');
    assert.equal(matcher.requiredValue('b'), '1');
    assert.equal(matcher.matches({ b: '1' }), true);
    assert.throws(() => toLabelMatcher({ matchExpressions: [{ key: 'a', operator: 'Is' }] }), {
      message: '"Is" is not a valid label selector operator',
    });
    assert.equal(LabelMatcher.nothing.isEverything, false);
  });

  it('reads what it writes', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
    const requirement = fc.oneof(
      fc.record({ key: word, operator: fc.constantFrom('=' as const, '!=' as const, '==' as const), values: fc.tuple(word) }),
      fc.record({ key: word, operator: fc.constantFrom('in' as const, 'notin' as const), values: fc.uniqueArray(word, { minLength: 1 }) }),
      fc.record({ key: word, operator: fc.constantFrom('exists' as const, '!' as const), values: fc.constant([]) }),
    );
    fc.assert(
      fc.property(fc.array(requirement), (requirements) => {
        const text = LabelMatcher.of(requirements).toString();
        assert.equal(parseLabelSelector(text).toString(), text);
      }),
    );
  });
});

describe('field selectors', () => {
  const formatted: [string, string][] = [
    ['', ''],
    ['metadata.name=a', 'metadata.name=a'],
    ['b==2,a!=1', 'a!=1,b=2'],
    ['a=x\\,y\\=z\\\\', 'a=x\\,y\\=z\\\\'],
    ['a=,,b=c', 'a=,b=c'],
  ];
  for (const [text, expected] of formatted)
    it(`${text} reads ${expected}`, () => assert.equal(parseFieldSelector(text).toString(), expected));

  const bad: [string, string][] = [
    ['a', "invalid selector: 'a'; can't understand 'a'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=\\', 'invalid field selector: invalid escape sequence: \\'],
  ];
  for (const [text, message] of bad) it(`refuses ${text}`, () => assert.throws(() => parseFieldSelector(text), { message }));

  it('decide the same however many requirements there are', () => {
    const part = fc
      .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('=', '!='), fc.constantFrom('', '1', '2'))
      .map(([field, sign, value]) => `${field}${sign}${value}`);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '1', '2'), (parts, value) => {
        const get = (field: string) => (field === 'a' ? value : '');
        const many = [parts, parts, parts, parts, parts, parts, parts, parts, parts].flat();
        assert.equal(
          parseFieldSelector(many.join(',')).matches(get),
          parts.every((one) => parseFieldSelector(one).matches(get)),
        );
      }),
    );
  });

  it('matches, and knows what a single get can serve', () => {
    const matcher = parseFieldSelector('metadata.name=a,status.phase!=Running');
    const get = (fields: Record<string, string>) => (field: string) => fields[field] ?? '';
    assert.equal(matcher.matches(get({ 'metadata.name': 'a', 'status.phase': 'Pending' })), true);
    assert.equal(matcher.matches(get({ 'metadata.name': 'a', 'status.phase': 'Running' })), false);
    assert.equal(matcher.requiredValue('metadata.name'), 'a');
    assert.equal(matcher.requiredValue('status.phase'), undefined);
    assert.equal(FieldMatcher.everything.isEverything, true);
  });

  it('tells which fields there are', () => {
    const names = new Set(['metadata.name', 'metadata.namespace']);
    assert.throws(() => requireSupportedFields(parseFieldSelector('x=y'), names), {
      message: '"x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    });
    assert.throws(() => requireSupportedFields(parseFieldSelector('x=y'), new Set([...names, 'spec.nodeName'])), {
      message: 'field label not supported: x',
    });
  });

  it('escapes whatever a value holds', () => {
    fc.assert(
      fc.property(fc.string(), (value) => assert.equal(parseFieldSelector(`f=${escapeFieldValue(value)}`).requiredValue('f'), value)),
    );
  });
});
