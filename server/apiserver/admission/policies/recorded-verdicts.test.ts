import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { mutationCases, type PolicyCase, policyCases } from '../../../../conformance/differential/policies/policy-cases.ts';
import { type PolicySort, type PolicyVerdict, replayPolicies } from '../../../../conformance/differential/policies/replay-policies.ts';
import { createAPICaller } from '../../testing/api-caller.ts';
import { startCompleteServer } from '../../testing/complete-server.ts';

type Recorded = readonly (PolicyVerdict & { readonly name: string })[];

function recordedIn(file: string): Recorded {
  const url = new URL(`../../../../conformance/differential/policies/testdata/${file}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Recorded;
}

async function replay(cases: readonly PolicyCase[], sort: PolicySort['sort']): Promise<PolicyVerdict[]> {
  const complete = await startCompleteServer();
  const api = createAPICaller(complete.server.transport);
  try {
    const target = {
      async call(method: string, path: string, body: unknown) {
        const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
        const { status, headers, body: answer } = await api.call(method, path, { body, contentType });
        return { status, warning: headers['warning'], body: answer };
      },
      pause: () => delay(5),
    };
    return await replayPolicies(target, cases, { sort, version: 'v1' });
  } finally {
    await complete.close();
  }
}

/** Compares verdicts with those of a file; `known` are those that differ, and why. */
function compare(file: string, sort: PolicySort['sort'], cases: readonly PolicyCase[], known: ReadonlyMap<string, string>): void {
  describe(`${sort}AdmissionPolicies give the verdicts that a kube-apiserver v1.32 gave`, function () {
    this.timeout(180_000);
    let verdicts: PolicyVerdict[] = [];
    before(async () => {
      verdicts = await replay(cases, sort);
    });
    for (const [index, { name, ...expected }] of recordedIn(file).entries())
      it(`${index}: ${name}`, () => {
        assert.equal(cases[index]?.name, name);
        const found = JSON.parse(JSON.stringify(verdicts[index])) as unknown;
        if (known.has(name)) assert.notDeepEqual(found, expected, 'it is the same now');
        else assert.deepEqual(found, expected);
      });
  });
}

compare(
  'verdicts-v1.32.json',
  'Validating',
  policyCases,
  new Map([
    ['"%d".format(["a"]) == ""', 'arguments of format() are not checked when an expression is compiled'],
    ['[1, 2, 3].transformList(i, v, i + v) == [1, 3, 5]', 'v1.32 has no comprehensions of two variables'],
    ['{"a": 1}.transformMap(k, v, v + 1) == {"a": 2}', 'v1.32 has no comprehensions of two variables'],
    ['[1, 2].all(i, v, i < v)', 'v1.32 has no comprehensions of two variables'],
    ["'a\nb' == 'c'", 'a text that does not end is described in other words'],
    ['"\\q" == "q"', 'an unknown escape is described in other words'],
    ['many annotations', 'v1.32 shows lists as Go source'],
  ]),
);
compare(
  'mutations-v1.32.json',
  'Mutating',
  mutationCases,
  new Map([['wrong field of JSONPatch', 'a field that a JSONPatch does not have is described in other words']]),
);
