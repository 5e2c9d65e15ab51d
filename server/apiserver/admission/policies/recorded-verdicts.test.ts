import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { policyCases } from '../../../../conformance/differential/policies/policy-cases.ts';
import { type PolicyVerdict, replayPolicies } from '../../../../conformance/differential/policies/replay-policies.ts';
import { createAPICaller } from '../../testing/api-caller.ts';
import { startCompleteServer } from '../../testing/complete-server.ts';

const recorded = JSON.parse(
  readFileSync(new URL('../../../../conformance/differential/policies/testdata/verdicts-v1.32.json', import.meta.url), 'utf8'),
) as (PolicyVerdict & { readonly name: string })[];

describe('ValidatingAdmissionPolicies give the verdicts that a kube-apiserver v1.32 gave', function () {
  this.timeout(120_000);
  let verdicts: PolicyVerdict[] = [];
  before(async () => {
    const complete = await startCompleteServer();
    const api = createAPICaller(complete.server.transport);
    verdicts = await replayPolicies(
      {
        async call(method, path, body) {
          const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
          const { status, headers, body: answer } = await api.call(method, path, { body, contentType });
          return { status, warning: headers['warning'], body: answer };
        },
        pause: () => delay(5),
      },
      policyCases,
    );
    await complete.close();
  });
  /** Verdicts that differ, and why. */
  const known: ReadonlyMap<string, string> = new Map([
    ['"%d".format(["a"]) == ""', 'arguments of format() are not checked when an expression is compiled'],
    ['[1, 2, 3].transformList(i, v, i + v) == [1, 3, 5]', 'v1.32 has no comprehensions of two variables'],
    ['{"a": 1}.transformMap(k, v, v + 1) == {"a": 2}', 'v1.32 has no comprehensions of two variables'],
    ['[1, 2].all(i, v, i < v)', 'v1.32 has no comprehensions of two variables'],
    ["'a\nb' == 'c'", 'a text that does not end is described in other words'],
    ['"\\q" == "q"', 'an unknown escape is described in other words'],
    ['scale', 'admission sees the scaled object and not its Scale'],
    ['delete of a collection', 'admission sees the name of each object'],
    ['many annotations', 'v1.32 shows lists as Go source'],
  ]);
  for (const [index, { name, ...expected }] of recorded.entries())
    it(`${index}: ${name}`, () => {
      assert.equal(policyCases[index]?.name, name);
      if (known.has(name)) assert.notDeepEqual(verdicts[index], expected, 'it is the same now');
      else assert.deepEqual(verdicts[index], expected);
    });
});
