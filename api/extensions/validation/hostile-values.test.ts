import assert from 'node:assert/strict';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';
import { validateValue } from './validate-value.ts';
import { planValue } from './value-plan.ts';

const messagesOf = (schema: JSONSchemaProps, value: unknown) => validateValue(planValue(schema), value).map(({ message }) => message);

describe('values that are made to take long', () => {
  const large = 'a'.repeat(1_000_000);
  const patterns: [string, string[]][] = [
    ['(a*)*b', [" in body should match '(a*)*b'"]],
    ['((a{0,10}){0,10}){0,9}$', [" in body is too long to be matched against '((a{0,10}){0,10}){0,9}$'"]],
    ['(.*a){40}', [" in body is too long to be matched against '(.*a){40}'"]],
  ];
  for (const [pattern, expected] of patterns)
    it(`against the pattern ${pattern}`, () => assert.deepEqual(messagesOf({ type: 'string', pattern }, large), expected));

  for (const format of ['duration', 'ipv4', 'ipv6', 'cidr', 'hostname', 'email', 'mac', 'uri', 'isbn', 'date-time'])
    it(`as ${format}`, () => {
      for (const text of ['9'.repeat(3_000_000), 'a:'.repeat(1_000_000), '1.'.repeat(1_000_000), 'a@'.repeat(1_000_000)])
        messagesOf({ type: 'string', format }, text);
    });

  it('through many levels of alternatives', () => {
    let schema: JSONSchemaProps = { maxLength: 1 };
    for (let depth = 0; depth < 400; depth++) schema = { not: schema };
    assert.deepEqual(messagesOf({ type: 'string', not: schema }, 'xx'), []);
  });
});
