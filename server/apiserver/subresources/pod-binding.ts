import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { cloneJSON } from '../../../api/base/json-object.ts';
import { quote } from '../../../api/base/quote.ts';
import { withCondition } from '../../../api/meta/conditions.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, conflict, methodNotAllowed, unexpectedError } from '../../../api/meta/status-errors.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { bindings as bindingDefinition } from '../../../api/resources/core/v1/binding.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Binding, Pod, PodCondition } from '../../../api/types/core-v1.ts';
import { type FieldError, formatFieldErrors, notSupported, required } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { binding as bindingPipeline } from '../registry/writes/pipelines.ts';
import type { RequestContext } from '../request/request-context.ts';
import { createdStatus, readWriteContext } from './subresource-response.ts';
import type { SubresourceDependencies, SubresourceHandler } from './subresource.ts';

/** POST of a Binding to a Pod: the scheduler's decision. */
export const podBinding: SubresourceHandler = {
  group: '',
  resource: 'pods',
  subresource: 'binding',
  async handle(context, dependencies) {
    const binding = await readBinding(context, dependencies);
    const { name = '' } = binding.metadata;
    if (name !== context.info.name) throw badRequest('name in URL does not match name in Binding object');
    return bind(context, dependencies, binding, name);
  },
};

/** The older way: POST to the collection of bindings, the Pod named in the object. */
export const bindings: SubresourceHandler = {
  group: '',
  resource: 'bindings',
  subresource: '',
  async handle(context, dependencies) {
    const binding = await readBinding(context, dependencies);
    return bind(context, dependencies, binding, binding.metadata.name ?? '');
  },
};

async function readBinding(context: RequestContext, dependencies: SubresourceDependencies): Promise<Binding> {
  if (context.info.verb !== 'create') throw methodNotAllowed();
  const expected = { apiVersion: 'v1', kind: 'Binding' };
  const binding = (await dependencies.decodeBody(context, bindingDefinition.definition, expected)) as Binding;
  const { namespace } = binding.metadata;
  if (namespace && namespace !== context.info.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return binding;
}

async function bind(context: RequestContext, dependencies: SubresourceDependencies, binding: Binding, name: string): Promise<APIResponse> {
  const errors = validateBinding(binding);
  if (errors.length > 0) throw unexpectedError(formatFieldErrors(errors));
  const store = dependencies.storeFor(pods);
  const write = readWriteContext(context);
  await dependencies.admit({ context, operation: 'CREATE', store, subresource: 'binding', object: binding, dryRun: write.dryRun });
  const { uid, resourceVersion } = binding.metadata;
  await store.update(
    bindingPipeline,
    { namespace: context.info.namespace, name },
    {
      ...write,
      preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
      change: (old) => assign(old as unknown as DeepReadonly<Pod>, binding, formatTime(context.clock.nowMs())) as unknown as UntypedObject,
    },
  );
  return createdStatus(context, dependencies);
}

function validateBinding({ target }: Binding): FieldError[] {
  const path = FieldPath.root.child('target');
  const errors: FieldError[] = [];
  if (target.kind && target.kind !== 'Node') errors.push(notSupported(path.child('kind'), target.kind, ['Node', '<empty>']));
  if (!target.name) errors.push(required(path.child('name')));
  return errors;
}

/** The Pod with its node; throws if it must not be bound (again). */
function assign(old: DeepReadonly<Pod>, binding: Binding, now: string): Pod {
  const name = old.metadata.name ?? '';
  const refuse = (message: string) => conflict({ group: '', resource: 'pods/binding' }, name, message);
  if (old.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (old.spec?.nodeName) throw refuse(`pod ${name} is already assigned to node ${quote(old.spec.nodeName)}`);
  if ((old.spec?.schedulingGates ?? []).length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const pod = cloneJSON(old) as Pod;
  const { annotations, labels } = binding.metadata;
  if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  if (labels) pod.metadata.labels = { ...pod.metadata.labels, ...labels };
  if (pod.spec) pod.spec.nodeName = binding.target.name ?? '';
  const scheduled: PodCondition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now };
  const present = (pod.status?.conditions ?? []).map((condition) => {
    if (condition.type !== 'PodScheduled') return condition;
    const { reason: _reason, message: _message, ...rest } = condition;
    return rest;
  });
  pod.status = { ...pod.status, conditions: [...withCondition(present, scheduled)] };
  return pod;
}
