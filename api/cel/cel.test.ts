import assert from 'node:assert/strict';
import { compileCEL } from './compile-cel.ts';
import { valueOfJSON } from './run/json-values.ts';
import { createKubernetesEnvironment } from './kubernetes-environment.ts';
import { dynType, intType, listType, mapType, objectType, stringType } from './types/types.ts';

const selfType = objectType('Self', {
  name: stringType,
  numbers: listType(intType),
  labels: mapType(stringType, stringType),
  any: dynType,
});
const environment = createKubernetesEnvironment({ self: selfType, x: intType });
const self = valueOfJSON({ name: 'n', numbers: [1, 2, 3], labels: { a: 'b' }, any: { deep: [1.5] } }, selfType);

function evaluate(source: string, costLimit?: number) {
  const compiled = compileCEL(source, environment);
  if (!compiled.ok) return compiled.message;
  const result = compiled.program.evaluate({ self, x: 3n }, costLimit === undefined ? {} : { costLimit });
  return result.ok ? result.value : result.error;
}

describe('CEL', () => {
  it('evaluates', () => {
    const cases: readonly (readonly [string, unknown])[] = [
      ['1 + 2 * 3', 7n],
      ['self.numbers.all(i, i > 0)', true],
      ['self.numbers.map(i, i * x)[2]', 9n],
      ['self.numbers.filter(i, i > 1).size()', 2n],
      ['self.any.deep[0] > 1', true],
      ['has(self.labels.a) && !has(self.labels.b)', true],
      ['[1, 2].exists(i, i / 0 == 1 || i == 2)', true],
      ['"abc".matches("^a.c$")', true],
      ['quantity("1.5Gi").isGreaterThan(quantity("1G"))', true],
      ['quantity("50k").add(quantity("20k")) == quantity("70k") && !isQuantity("200K")', true],
      ['semver("1.2.3-rc.1").isLessThan(semver("1.2.3")) && semver("v01.2", true) == semver("1.2.0")', true],
      ['url("https://u:p@[::1]:80/a%20b?x=1&x=2#f").getHost()', '[::1]:80'],
      ['url("https://h/a?x=1&x=2").getQuery()["x"].join(",")', '1,2'],
      ['isURL("../relative") || isURL("/a b") && !isURL("a b")', true],
      ['cidr("10.0.0.0/8").containsIP("10.1.2.3") && !ip("::1").isGlobalUnicast()', true],
      ['string(cidr("10.1.2.3/8").masked().ip()) == "10.0.0.0" && ip("::1").family() == 6', true],
      ['format.dns1123Label().validate("A").hasValue() && !format.named("nope").hasValue()', true],
      ['"abc 123 def 45".findAll("[0-9]+").map(d, int(d)).sum()', 168n],
      ['[3, 1, 2].sort() == [1, 2, 3] && lists.range(3).reverse() == [2, 1, 0]', true],
      ['["b", "aa"].sortBy(t, size(t))[0]', 'b'],
      ['sets.intersects([1, 2], [2, 3]) && [1, 2, 2].distinct().size() == 2', true],
      ['{"a": 1, "b": 2}.transformMap(k, v, v * 2)["b"]', 4n],
      ['[5, 6].transformList(i, v, i + v) == [5, 7]', true],
      ['self.?labels.?a.orValue("none") + self.labels[?"x"].orValue("none")', 'bnone'],
      ['self.?name.optMap(n, n + "!").value()', 'n!'],
      ['"%s is %.2f and %d, %x".format([dyn("x"), dyn(1.5), dyn(3), dyn(255)])', 'x is 1.50 and 3, ff'],
      ['"tacocat".substring(4) + "héllo".charAt(1).upperAscii() + " a ".trim()', 'catéa'],
      ['timestamp("2023-07-01T00:00:00Z").getHours("Europe/Berlin")', 2n],
    ];
    for (const [source, expected] of cases) assert.equal(evaluate(source), expected, source);
  });

  it('says what went wrong as cel-go does', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['self.labels.nope', 'no such key: nope'],
      ['self.numbers[7]', 'index out of bounds: 7'],
      ['1 / 0', 'division by zero'],
      ['cidr("10.0.0.0/8").containsIP("a")', 'no such overload'],
      ['cidr("10.0.0.0/8").containsCIDR("a")', 'no such overload'],
      ['9223372036854775807 + 1', 'integer overflow'],
      ['y == 1', "ERROR: <input>:1:1: undeclared reference to 'y' (in container '')\n | y == 1\n | ^"],
      ['1 + "a"', "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + \"a\"\n | ..^"],
      ['self.nope', "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope\n | ....^"],
      ['[1, "a"]', "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, \"a\"]\n | ....^"],
    ];
    for (const [source, expected] of cases) assert.equal(evaluate(source), expected, source);
  });

  it('stops at the cost limit, which nothing absorbs', () => {
    assert.equal(evaluate('self.numbers.all(i, i > 0) || true', 5), 'operation cancelled: actual cost limit exceeded');
  });
});
