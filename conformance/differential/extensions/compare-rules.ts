import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { ValidationRule } from '../../../api/types/apiextensions-v1.ts';
import { type Comparison, compareRequest, inLanes, newComparison } from './comparison.ts';
import { generateRule, generateRuleObject, ruleFields } from './generate-cel.ts';
import { definitionNamed, group } from './generate-definitions.ts';
import { noteVersions, type TwoServers, untilServed } from './two-servers.ts';

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const rulesOfKind = 20;

/**
 * Creates a definition with each generated rule as a dry run, for what its compiler and its costs say. Then twenty rules that both
 * accept are in force at once, and objects are created and updated by them.
 */
export async function compareRules(servers: TwoServers, count: number, seed: number): Promise<Comparison> {
  const comparison = newComparison();
  const accepted: ValidationRule[] = [];
  await inLanes(count, async (index) => {
    const rule = generateRule(createSeededRandom(seed * 400_009 + index).next);
    const body = definitionNamed(`r${index}`, schemaWith([rule]));
    const { raw } = await compareRequest(servers, comparison, { method: 'POST', path: `${definitionsPath}?dryRun=All`, body });
    if (raw.every(({ status }) => status === 201)) accepted.push(rule);
  });
  await inLanes(Math.ceil(accepted.length / rulesOfKind), async (index) => {
    const rules = accepted.slice(index * rulesOfKind, (index + 1) * rulesOfKind);
    await compareInForce(servers, comparison, rules, index, seed);
  });
  return comparison;
}

async function compareInForce(
  servers: TwoServers,
  comparison: Comparison,
  rules: readonly ValidationRule[],
  index: number,
  seed: number,
): Promise<void> {
  const { next } = createSeededRandom(seed * 500_009 + index);
  const plain = definitionNamed(`r${index}`, schemaWith([]));
  const definition = definitionNamed(`r${index}`, schemaWith(rules));
  const made = await compareRequest(servers, comparison, { method: 'POST', path: definitionsPath, body: definition });
  const name = plain.metadata.name;
  if (made.status !== 201) return;
  const path = `/apis/${group}/v1/namespaces/default/${String(plain.spec.names['plural'])}`;
  await untilServed(servers, path);
  const objectOf = (metadata: object) => ({
    apiVersion: `${group}/v1`,
    kind: plain.spec.names['kind'],
    metadata,
    ...generateRuleObject(next),
  });
  for (let each = 0; each < 10; each++)
    await compareRequest(servers, comparison, { method: 'POST', path: `${path}?dryRun=All`, body: objectOf({ name: 'a' }) }, rules);
  // Objects that are there before the rules, for those of old values.
  const setRules = (list: readonly ValidationRule[]) => ({
    method: 'PATCH',
    path: `${definitionsPath}/${name}`,
    body: [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: schemaWith(list) }],
    contentType: 'application/json-patch+json',
  });
  await servers.send(setRules([]));
  for (let each = 0; each < 3; each++) {
    const body = { apiVersion: `${group}/v1`, kind: plain.spec.names['kind'], metadata: { name: `o${each}` }, ...generateRuleObject(next) };
    for (let attempt = 0; attempt < 200; attempt++) {
      const answers = await servers.send({ method: 'POST', path, body });
      noteVersions(servers, `r${index}:o${each}`, answers);
      if (answers.every(({ status }) => status === 201)) break;
      for (const [side, answer] of answers.entries())
        if (answer.status === 201) await servers.sides[side]?.server.send('DELETE', `${path}/o${each}`);
    }
  }
  await servers.send(setRules([...rules, { rule: 'self.s != "probe"', message: 'probe' }]));
  const probe = { apiVersion: `${group}/v1`, kind: plain.spec.names['kind'], metadata: { name: 'probe' }, s: 'probe' };
  for (let attempt = 0; attempt < 200; attempt++) {
    const answers = await servers.send({ method: 'POST', path: `${path}?dryRun=All`, body: probe });
    if (answers.every(({ body }) => JSON.stringify(body).includes(': probe'))) break;
  }
  for (let each = 0; each < 10; each++) {
    const at = `o${each % 3}`;
    const body = objectOf({ name: at, resourceVersion: `{{rv:r${index}:${at}}}` });
    await compareRequest(servers, comparison, { method: 'PUT', path: `${path}/${at}?dryRun=All`, body }, rules);
  }
  await servers.send({ method: 'DELETE', path: `${definitionsPath}/${name}` });
}

const schemaWith = (rules: readonly ValidationRule[]) => ({
  type: 'object',
  properties: structuredClone(ruleFields) as Record<string, object>,
  ...(rules.length > 0 ? { 'x-kubernetes-validations': [...rules] } : {}),
});
