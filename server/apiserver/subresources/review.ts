import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, methodNotAllowed } from '../../../api/meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { recordOwnership } from '../registry/writes/record-ownership.ts';
import { convertNow, noOtherVersion } from '../../../api/apply/versions.ts';
import type { RequestContext } from '../request/request-context.ts';
import { readWriteContext } from './subresource-response.ts';
import type { SubresourceDependencies, SubresourceHandler } from './subresource.ts';

/** A resource that is a question: POST only, stored nowhere, answered in the status of the very object. */
export function defineReview<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  answer: (review: T, context: RequestContext, dependencies: SubresourceDependencies) => Promise<void>,
): SubresourceHandler {
  const expected = { apiVersion: apiVersionOf(definition), kind: definition.names.kind };
  return {
    group: definition.group,
    resource: definition.names.plural,
    subresource: '',
    async handle(context, dependencies) {
      if (context.info.verb !== 'create') throw methodNotAllowed();
      const review = await dependencies.decodeBody(context, definition.definition, expected);
      placeInNamespace(definition.scope, review, context.info.namespace);
      const store = { definition: definition as unknown as ResourceDefinition };
      const { fieldManager } = readWriteContext(context);
      const who = { fieldManager, subresource: '' };
      convertNow(recordOwnership(store.definition, review as UntypedObject, undefined, who, context.clock.nowMs()), noOtherVersion);
      await dependencies.admit({ context, operation: 'CREATE', store, subresource: '', object: review, dryRun: false });
      await answer(review as T, context, dependencies);
      return dependencies.respond(context, review, 201);
    },
  };
}

function placeInNamespace(scope: ResourceDefinition['scope'], { metadata }: KubeObject, namespace: string): void {
  if (scope === 'Cluster') return void delete metadata.namespace;
  if (metadata.namespace && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  metadata.namespace = namespace;
}
