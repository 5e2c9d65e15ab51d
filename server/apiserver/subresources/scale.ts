import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type AppliedObject } from '../../../api/apply/update-managed-fields.ts';
import { applyPatch } from '../../../api/apply/apply-patch.ts';
import type { JSONObject } from '../../../api/base/json-object.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, conflict, invalid, methodNotAllowed, notFound, unsupportedMediaType } from '../../../api/meta/status-errors.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { patchObject } from '../../../api/patch/patch-object.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import { replicationControllers } from '../../../api/resources/core/v1/replication-controller.ts';
import { decode } from '../../../api/schema/decode.ts';
import { DecodeError } from '../../../api/schema/decode-error.ts';
import { getDefinitionSchema } from '../../../api/schema/definition-schema.ts';
import { schemaOf } from '../../../api/resource/schema-of.ts';
import { labelMatcherOfSet, toLabelMatcher } from '../../../api/selectors/label-selector.ts';
import { parseJSON } from '../../../api/serialization/json.ts';
import { JSONSyntaxError } from '../../../api/serialization/json-parser.ts';
import { parseYAML, YAMLSyntaxError } from '../../../api/serialization/yaml.ts';
import type { Scale } from '../../../api/types/autoscaling-v1.ts';
import { invalid as invalidField } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';
import type { Store } from '../registry/store.ts';
import { apply, replacement } from '../registry/writes/pipelines.ts';
import type { AdmissionView } from '../registry/writes/write-context.ts';
import { readWriteContext } from './subresource-response.ts';
import type { SubresourceDependencies, SubresourceHandler } from './subresource.ts';
import type { PatchType } from '../../../api/patch/patch-type.ts';
import { isApplyType, patchTypesOf } from '../bodies/patch-change.ts';

const definition = 'io.k8s.api.autoscaling.v1.Scale';
const scaleKind = { apiVersion: 'autoscaling/v1', kind: 'Scale' };

/** The common part of scalable kinds. */
interface Scalable extends UntypedObject {
  spec?: { replicas?: number; selector?: Readonly<Record<string, unknown>> };
  status?: { replicas?: number };
}

/** How an object holds its replicas. */
export interface ScaleShape {
  toScale(object: DeepReadonly<UntypedObject>): Scale;
  /** The fields of an object that is scaled, without its metadata. */
  withReplicas(object: DeepReadonly<UntypedObject>, replicas: number): Readonly<Record<string, unknown>>;
  /** The replicas are to be shown, and are not there. Throws. */
  checkShown?(object: DeepReadonly<UntypedObject>): void;
}

const builtInShape: ScaleShape = {
  toScale,
  withReplicas: ({ spec }: DeepReadonly<Scalable>, replicas) => ({ spec: { ...spec, replicas } }),
};

/** The scale subresource of each built-in kind that has one: its replicas and selector, in one shape for all kinds. */
export const scales: readonly SubresourceHandler[] = [
  scaleOf(deployments as unknown as ResourceDefinition),
  scaleOf(replicaSets as unknown as ResourceDefinition),
  scaleOf(statefulSets as unknown as ResourceDefinition),
  scaleOf(replicationControllers as unknown as ResourceDefinition),
];

/** The scale subresource of the kind `parent`. */
export function scaleOf(parent: ResourceDefinition, shape: ScaleShape = builtInShape): SubresourceHandler {
  return {
    group: parent.group,
    resource: parent.names.plural,
    subresource: 'scale',
    async handle(context, dependencies) {
      const store = dependencies.storeFor(parent);
      switch (context.info.verb) {
        case 'get': {
          const { namespace, name } = context.info;
          const cached = await store.get({ namespace, name }, context.signal);
          const object = store.read(cached);
          shape.checkShown?.(object);
          return dependencies.respond(context, shape.toScale(object));
        }
        case 'update':
          return write({ context, dependencies, store, shape }, await fromBody(context, dependencies, shape));
        case 'patch':
          return patchScale({ context, dependencies, store, shape });
        default:
          throw methodNotAllowed();
      }
    },
  };
}

/** autoscaling/v1 Scale of an object. */
function toScale({ metadata, spec, status }: DeepReadonly<Scalable>): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = selectorText(spec?.selector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as NonNullable<Scale['metadata']>,
    spec: spec?.replicas ? { replicas: spec.replicas } : {},
    status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

function selectorText(selector: Readonly<Record<string, unknown>> | undefined): string {
  if (!selector) return '';
  const isStructured = 'matchLabels' in selector || 'matchExpressions' in selector;
  return (isStructured ? toLabelMatcher(selector) : labelMatcherOfSet(selector as Readonly<Record<string, string>>)).toString();
}

/** Admission sees the scale, and may change its replicas. */
function viewOf(shape: ScaleShape): AdmissionView {
  return {
    show(object) {
      const { metadata, ...scale } = shape.toScale(object);
      const known = Object.entries(metadata ?? {}).filter(([, value]) => value !== undefined);
      return { ...scale, metadata: Object.fromEntries(known) } as unknown as UntypedObject;
    },
    write(shown, object) {
      const { replicas = 0 } = (shown as DeepReadonly<Scalable>).spec ?? {};
      if (replicas !== (shape.toScale(object).spec?.replicas ?? 0)) Object.assign(object, shape.withReplicas(object, replicas));
    },
  };
}

type Change = (old: DeepReadonly<UntypedObject>) => UntypedObject | Promise<UntypedObject>;

/** A write of a scale. */
interface ScaleWrite {
  readonly context: RequestContext;
  readonly dependencies: SubresourceDependencies;
  readonly store: Store;
  readonly shape: ScaleShape;
}

async function write({ context, dependencies, store, shape }: ScaleWrite, change: Change, pipeline = replacement): Promise<APIResponse> {
  const { namespace, name } = context.info;
  const written = await store.update(
    pipeline,
    { namespace, name },
    {
      ...readWriteContext(context),
      admissionView: viewOf(shape),
      change(old) {
        if (!old) throw notFound(store.definition, name);
        return change(old);
      },
    },
  );
  return dependencies.respond(context, shape.toScale(written.object as DeepReadonly<UntypedObject>));
}

async function fromBody(context: RequestContext, dependencies: SubresourceDependencies, shape: ScaleShape): Promise<Change> {
  const scale = (await dependencies.decodeBody(context, definition, scaleKind)) as Scale;
  return (old) => withScale(context, shape, old, scale);
}

async function patchScale(writing: ScaleWrite): Promise<APIResponse> {
  const { context, store, shape } = writing;
  const type = (context.request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  if (isApplyType(type)) return write(writing, applied(writing), apply);
  const types = patchTypesOf(store.definition);
  if (!types.includes(type)) throw unsupportedMediaType(types);
  const patch = parsed(context, (body) => parseJSON(body).value);
  const schema = getDefinitionSchema(definition);
  return write(writing, (old) => {
    const patched = patchObject({ type: type as PatchType, object: shape.toScale(old) as unknown as JSONObject, patch, schema });
    return withScale(context, shape, old, decodeScale(patched));
  });
}

function decodeScale(value: unknown): Scale {
  try {
    return decode(value, getDefinitionSchema(definition)).object as Scale;
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message);
    throw error;
  }
}

/** Applying a scale is applying the replicas of the object: that is where ownership is recorded. */
function applied({ context, store, shape }: ScaleWrite): Change {
  const { definition: parent } = store;
  const configuration = parsed(context, (body) => parseYAML(body).value) as Scale | null;
  if (configuration?.apiVersion !== scaleKind.apiVersion || configuration.kind !== scaleKind.kind) {
    throw badRequest(`invalid object type: ${String(configuration?.apiVersion)}, Kind=${String(configuration?.kind)}`);
  }
  const { fieldManager } = readWriteContext(context);
  return async (old) => {
    const replicas = decodeScale(configuration).spec?.replicas;
    const steps = applyPatch({
      schema: schemaOf(parent),
      apiVersion: apiVersionOf(parent),
      kind: parent.names.kind,
      live: old as unknown as AppliedObject,
      applied: {
        apiVersion: apiVersionOf(parent),
        kind: parent.names.kind,
        metadata: { name: context.info.name },
        ...(replicas === undefined ? {} : shape.withReplicas({ metadata: {} } as UntypedObject, replicas)),
      },
      manager: fieldManager,
      force: isTrue(context.query.get('force')),
      subresource: 'scale',
      now: formatTime(context.clock.nowMs()),
    });
    return structuredClone(await store.convertVersions(steps)) as UntypedObject;
  };
}

/** The object with the replicas of a Scale; its uid and resourceVersion are preconditions. */
function withScale({ info }: RequestContext, shape: ScaleShape, old: DeepReadonly<UntypedObject>, scale: Scale): UntypedObject {
  const { name = '', uid, resourceVersion } = scale.metadata ?? {};
  const replicas = scale.spec?.replicas ?? 0;
  if (name !== info.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  if (replicas < 0) {
    const error = invalidField(FieldPath.root.child('spec', 'replicas'), replicas, 'must be greater than or equal to 0');
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [error]);
  }
  if (uid && uid !== old.metadata.uid) {
    const message = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ''}`;
    throw conflict({ group: 'autoscaling', resource: 'scales' }, name, message);
  }
  const object = { ...(structuredClone(old) as UntypedObject), ...shape.withReplicas(structuredClone(old), replicas) } as UntypedObject;
  if (resourceVersion) object.metadata.resourceVersion = resourceVersion;
  else delete object.metadata.resourceVersion;
  return object;
}

function parsed(context: RequestContext, parse: (body: Uint8Array) => unknown): unknown {
  const { body = new Uint8Array(0) } = context.request;
  try {
    return parse(body);
  } catch (error) {
    if (error instanceof JSONSyntaxError || error instanceof YAMLSyntaxError) throw badRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
}
