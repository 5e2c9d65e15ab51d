import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as arithmetic from './arithmetic.ts';
import { canonicalizeQuantity, formatQuantity, parseQuantity } from './quantity.ts';

describe('quantities', () => {
  const canonical: [string | number, string][] = [
    ['0', '0'],
    ['0.0', '0'],
    ['-0', '0'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1.5', '1500m'],
    ['0.1', '100m'],
    ['.5', '500m'],
    ['1000', '1k'],
    ['1000k', '1M'],
    ['1024', '1024'],
    ['1024Ki', '1Mi'],
    ['128Mi', '128Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['512Ki', '512Ki'],
    ['1e3', '1e3'],
    ['1000e0', '1e3'],
    ['10e4', '100e3'],
    ['1E3', '1E3'],
    ['1.1e5', '110e3'],
    ['100000000000000000000', '100E'],
    ['9223372036854775807', '9223372036854775807'],
    ['8Ei', '9223372036854775807'],
    ['0.0000000001', '1n'],
    ['1.0000000001', '1000000001n'],
    ['-1.5', '-1500m'],
    ['+5', '+5'],
    ['12.345', '12.345'],
    [' 2Gi ', '2Gi'],
    [2, '2'],
    [0.25, '250m'],
    ['1000E', '1000E'],
  ];
  for (const [text, expected] of canonical) it(`${text} is ${expected}`, () => assert.equal(canonicalizeQuantity(text), expected));

  const wrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const bad: [string, string][] = [
    ['', wrong],
    ['abc', wrong],
    ['1.2.3', wrong],
    ['1 Gi', wrong],
    ['1KK', "unable to parse quantity's suffix"],
    ['1e', "unable to parse quantity's suffix"],
    ['1K', "unable to parse quantity's suffix"],
  ];
  for (const [text, message] of bad) it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseQuantity(text), { message }));

  it('a canonical spelling is its own', () => {
    const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-3', 'E2');
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.nat(999), suffix, (integer, fraction, unit) => {
        const quantity = parseQuantity(`${integer}.${fraction}${unit}`);
        const text = formatQuantity(quantity);
        assert.equal(arithmetic.compareQuantities(parseQuantity(text), quantity), 0);
        // A binary quantity that is no multiple of 1024 is written without a suffix, and so reads back as a decimal one.
        const again = formatQuantity(parseQuantity(text));
        if (!unit.endsWith('i')) assert.equal(again, text);
        assert.equal(formatQuantity(parseQuantity(again)), again);
      }),
    );
  });

  it('arithmetic', () => {
    const q = parseQuantity;
    assert.equal(formatQuantity(arithmetic.addQuantities(q('1Gi'), q('512Mi'))), '1536Mi');
    assert.equal(formatQuantity(arithmetic.addQuantities(q('0'), q('1Ki'))), '1Ki');
    assert.equal(formatQuantity(arithmetic.addQuantities(q('100m'), q('0.9'))), '1');
    assert.equal(formatQuantity(arithmetic.subtractQuantities(q('1'), q('1100m'))), '-100m');
    assert.equal(arithmetic.compareQuantities(q('1Ki'), q('1024')), 0);
    assert.ok(arithmetic.compareQuantities(q('1e999999999'), q('5')) > 0);
    assert.ok(arithmetic.compareQuantities(q('-1e999999999'), q('5')) < 0);
    assert.equal(arithmetic.quantityValue('1.1'), 2);
    assert.equal(arithmetic.quantityValue('2Gi'), 2 ** 31);
    assert.equal(arithmetic.quantityMilliValue('1.5'), 1500);
    assert.equal(arithmetic.quantityMilliValue('1n'), 1);
    assert.equal(arithmetic.quantityMilliValue('-0.0001'), -1);
    assert.equal(arithmetic.quantityValue('1e999999999'), Number(2n ** 63n - 1n));
    assert.equal(formatQuantity(arithmetic.roundUpQuantity(q('1234567n'), -3)), '2m');
  });
});
