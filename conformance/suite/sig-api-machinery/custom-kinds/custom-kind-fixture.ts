import { toDefinitions } from '../../../../api/extensions/to-definitions.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { customResourceDefinitions } from '../../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../../../../api/types/apiextensions-v1.ts';
import type { ConformanceContext } from '../../../framework/conformance-context.ts';
import { waitFor } from '../../../framework/wait-for.ts';

export interface CustomKind {
  readonly crd: CustomResourceDefinition;
  /** The version that is stored. */
  readonly resource: ResourceDefinition<UntypedObject>;
}

/** Creates the kind Foo in a group of the test's own, waits until it is served, and removes it after the test. */
export async function createCustomKind(
  { client, namespace, request, cleanUp }: ConformanceContext,
  spec: Pick<CustomResourceDefinitionSpec, 'versions'>,
): Promise<CustomKind> {
  const group = `${namespace}.example.com`;
  const name = `foos.${group}`;
  await client(customResourceDefinitions).create({
    metadata: { name },
    spec: { group, scope: 'Namespaced', names: { plural: 'foos', kind: 'Foo' }, ...spec },
  });
  cleanUp(() => ignoreNotFound(client(customResourceDefinitions).delete({ namespace: '', name })));
  const crd = await waitFor(
    `${name} to be established`,
    async () => {
      const found = await client(customResourceDefinitions).get({ namespace: '', name });
      return found.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ? found : undefined;
    },
    { withinSeconds: 30 },
  );
  const stored = crd.spec.versions.find(({ storage }) => storage)?.name;
  // Servers may take a moment until they serve it.
  await waitFor(`${name} to be served`, async () => (await request('GET', `/apis/${group}/${stored}/foos`)).status === 200, {
    withinSeconds: 30,
  });
  const resource = toDefinitions(crd).find(({ version }) => version === stored);
  if (!resource) throw new Error(`${name} has no version that is stored and served`);
  return { crd, resource: resource as unknown as ResourceDefinition<UntypedObject> };
}
