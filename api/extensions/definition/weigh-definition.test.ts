import assert from 'node:assert/strict';
import { weighDefinition } from './weigh-definition.ts';

describe('the weight of a CustomResourceDefinition', () => {
  const cases: readonly (readonly [what: string, text: string, repetitions: number])[] = [
    ['an ordinary one', '{"spec":{"versions":[{"name":"v1"}]}}', 0],
    ['a pattern without repetitions', '{"pattern":"^[a-z]+$"}', 0],
    ['a pattern with one', '{"pattern":"^a{3,999}$"}', 1],
    ['nested ones', '{"pattern":"(a{9}){9}"}', 2],
    ['an escaped brace', '{"pattern":"a\\u007b999}"}', 1],
    ['a brace in capitals', '{"pattern":"a\\u007B999}"}', 1],
    ['an escaped digit', '{"pattern":"a{\\u0039}"}', 1],
    ['YAML', 'pattern: "a\\x7b999}"', 1],
    ['a long escape of YAML', 'pattern: "a\\U0000007b999}"', 1],
    ['other escapes', '{"description":"a\\n\\u0041\\\\"}', 0],
  ];
  for (const [what, text, repetitions] of cases)
    it(what, () => assert.equal(weighDefinition(Buffer.from(text)), text.length + repetitions * 1000));
});
