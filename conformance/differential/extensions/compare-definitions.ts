import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { changeDefinition, definitionNamed, generateDefinition, group, type LooseDefinition } from './generate-definitions.ts';
import { type Comparison, compareRequest, inLanes, newComparison } from './comparison.ts';
import { noteVersions, type TwoServers, untilServed } from './two-servers.ts';

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Creates and updates generated definitions as dry runs. Every third is an update of a definition that is stored. */
export async function compareDefinitions(servers: TwoServers, count: number, seed: number): Promise<Comparison> {
  const comparison = newComparison();
  const made = await servers.send({ method: 'POST', path: definitionsPath, body: stored() });
  noteVersions(servers, 'kept', made);
  await untilServed(servers, `/apis/${group}/v1/namespaces/default/thingskept`);
  noteVersions(servers, 'kept', await servers.send({ method: 'GET', path: `${definitionsPath}/${stored().metadata.name}` }));
  await inLanes(count, async (index) => {
    const fieldValidation = ['', '&fieldValidation=Strict', '&fieldValidation=Ignore'][index % 3];
    const query = `?dryRun=All${fieldValidation}`;
    if (index % 3 !== 0) {
      const body = generateDefinition(seed * 1_000_003 + index, String(index));
      await compareRequest(servers, comparison, { method: 'POST', path: `${definitionsPath}${query}`, body });
      return;
    }
    const { next } = createSeededRandom(seed * 1_000_003 + index);
    const body = stored();
    changeDefinition(body, next);
    const path = `${definitionsPath}/${stored().metadata.name}${query}`;
    await compareRequest(servers, comparison, {
      method: 'PUT',
      path,
      body: { ...body, metadata: { ...body.metadata, resourceVersion: '{{rv:kept}}' } },
    });
  });
  await servers.send({ method: 'DELETE', path: `${definitionsPath}/${stored().metadata.name}` });
  return comparison;
}

/** The definition that is updated. */
function stored(): LooseDefinition {
  const list = { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } };
  return definitionNamed('kept', {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          a: { type: 'string', default: 'x' },
          b: { type: 'integer', format: 'int32', minimum: 1 },
          c: { ...list, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
          d: { type: 'object', additionalProperties: { type: 'string', maxLength: 10 }, maxProperties: 5 },
        },
      },
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  });
}
