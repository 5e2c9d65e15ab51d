import { createHash } from 'node:crypto';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { applyDefaults } from '../../../api/schema/default.ts';
import { findKindSchema, getDefinitionSchema } from '../../../api/schema/definition-schema.ts';
import { yamlMediaType } from '../../../api/serialization/media-types.ts';
import { readObject } from '../../../api/serialization/read-object.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { formatFieldErrors } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import { validateObjectMeta } from '../../../api/meta/object-meta.ts';
import { staticAnnotations } from '../../../api/semantics/pods/is-static-pod.ts';
import { podReferences } from '../pods/referenced-objects.ts';

export interface ManifestSource {
  /** Absolute: part of who the Pod is. */
  readonly file: string;
  readonly nodeName: string;
  readonly nowMs: number;
}

/**
 * The Pod of a manifest, YAML or JSON, in the form in which this node runs it. Throws for an invalid Pod, and for one that refers to
 * objects of the API.
 */
export function parseManifest(text: string, { file, nodeName, nowMs }: ManifestSource): Pod {
  const { definition, names, group, version } = pods;
  const schema = getDefinitionSchema(definition);
  const { object } = readObject(new TextEncoder().encode(text), yamlMediaType, {
    expected: { group, version, kind: names.kind },
    schema,
    fieldValidation: 'Ignore',
    isRegistered: (kind) => findKindSchema(kind.group === '' ? kind.version : `${kind.group}/${kind.version}`, kind.kind) !== undefined,
  });
  applyDefaults(object as UntypedObject, schema, { nowMs });
  const { status: _status, ...pod } = object as UntypedObject as Pod;
  pods.default?.(pod);
  const { name, namespace } = pod.metadata;
  if (!name) throw new Error('the Pod has no name');
  const uid = createHash('md5').update(`host:${nodeName}file:${file}`).update(JSON.stringify(pod)).digest('hex');
  const complete: Pod = {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `${name}-${nodeName}`,
      namespace: namespace || 'default',
      uid,
      creationTimestamp: formatTime(nowMs),
      annotations: {
        ...pod.metadata.annotations,
        [staticAnnotations.source]: 'file',
        [staticAnnotations.seen]: formatTime(nowMs),
        [staticAnnotations.hash]: uid,
      },
    },
    spec: {
      ...pod.spec,
      containers: pod.spec?.containers ?? [],
      nodeName,
      // A static Pod cannot be evicted: its manifest would bring it back.
      tolerations: [...(pod.spec?.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
  };
  verify(complete, nowMs);
  return complete;
}

function verify(pod: Pod, nowMs: number): void {
  const user = { name: 'system:node', groups: [] };
  const problems = [
    ...validateObjectMeta(pod.metadata, true, pods.nameRule, FieldPath.root.child('metadata')),
    ...(pods.validate?.(pod, FieldPath.root, { nowMs, operation: 'create', subresource: '', user }) ?? []),
  ];
  if (problems.length > 0) throw new Error(`invalid pod: ${formatFieldErrors(problems)}`);
  const { configMaps, secrets } = podReferences(pod);
  if (configMaps.size > 0) throw new Error('static pods may not reference configmaps');
  if (secrets.size > 0) throw new Error('static pods may not reference secrets');
  if (pod.spec?.serviceAccountName) throw new Error('static pods may not reference serviceaccounts');
  const claims = (pod.spec?.volumes ?? []).some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim ?? ephemeral);
  if (claims) throw new Error('static pods may not reference persistentvolumeclaims');
}
