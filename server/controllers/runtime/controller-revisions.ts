import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type KubeObject } from '../../../api/meta/object.ts';
import { controllerReference } from '../../../api/meta/owner-references.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { findTime } from '../../../api/meta/time.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { controllerRevisions } from '../../../api/resources/apps/v1/controller-revision.ts';
import { podTemplateHash } from '../../../api/semantics/pods/pod-template-hash.ts';
import type { ControllerRevision } from '../../../api/types/apps-v1.ts';
import type { PodTemplateSpec } from '../../../api/types/core-v1.ts';

export const revisionHashLabel = 'controller-revision-hash';

type Revision = DeepReadonly<ControllerRevision>;
type Template = DeepReadonly<PodTemplateSpec>;

/** The name was taken by a revision with other data: the owner has to count up its collisionCount and try again. */
export class RevisionCollision extends Error {
  constructor(name: string) {
    super(`the name ${name} is taken by another revision`);
    this.name = 'RevisionCollision';
  }
}

/**
 * The content of a revision: a strategic merge patch that brings the owner back to this template. Its members are sorted: other
 * programs (kubectl rollout history, operators) find the revision of a template by comparing the bytes.
 */
function revisionData(template: Template): unknown {
  return sorted({ spec: { template: { ...template, $patch: 'replace' } } });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

/** The template that a revision contains. */
export function templateOfRevision(revision: Revision): PodTemplateSpec {
  const data = revision.data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } } | undefined;
  const { $patch: _patch, ...template } = structuredClone(data?.spec?.template ?? {});
  return template;
}

/** Oldest first. */
export function sortRevisions(revisions: readonly Revision[]): Revision[] {
  return [...revisions].sort((a, b) => {
    if (a.revision !== b.revision) return a.revision - b.revision;
    const created = (findTime(a.metadata.creationTimestamp) ?? 0) - (findTime(b.metadata.creationTimestamp) ?? 0);
    return created !== 0 ? created : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
  });
}

interface RevisionOwner {
  readonly client: Client;
  readonly owner: DeepReadonly<KubeObject>;
  readonly resource: ResourceDefinition;
  readonly template: Template;
  readonly collisionCount: number | undefined;
  /** Label that carries the hash, default controller-revision-hash. */
  readonly hashLabel?: string;
}

/**
 * The revision of the current template: an existing one, which becomes the newest if it is not (after a rollback), or a new one. Throws
 * RevisionCollision.
 */
export async function ensureRevision(settings: RevisionOwner, existing: readonly Revision[]): Promise<Revision> {
  const { client, owner, resource, template, collisionCount, hashLabel = revisionHashLabel } = settings;
  const data = revisionData(template);
  const byAge = sortRevisions(existing);
  const newest = byAge.at(-1);
  const equal = byAge.filter((revision) => isSemanticallyEqual(revision.data, data)).at(-1);
  const next = (newest?.revision ?? 0) + 1;
  if (equal !== undefined) {
    if (equal === newest) return equal;
    return await client(controllerRevisions).update({ ...mutableCopy<ControllerRevision>(equal), revision: next });
  }
  const hash = podTemplateHash(template, collisionCount);
  const kind = { apiVersion: apiVersionOf(resource), kind: resource.names.kind };
  const { namespace = '', name = '', annotations } = owner.metadata;
  const wanted: ControllerRevision = {
    metadata: {
      name: `${name.slice(0, 223)}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ownerReferences: [controllerReference(owner, kind)],
    },
    data,
    revision: next,
  };
  try {
    return await client(controllerRevisions).create(wanted);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    const present = await client(controllerRevisions).get(keyOf(wanted));
    if (isSemanticallyEqual(present.data, data)) return present;
    throw new RevisionCollision(wanted.metadata.name ?? '');
  }
}

/** Deletes the oldest revisions beyond the limit that are neither current nor any Pod's. */
export async function cleanRevisions(
  client: Client,
  revisions: readonly Revision[],
  limit: number,
  isLive: (revision: Revision) => boolean,
): Promise<void> {
  const idle = sortRevisions(revisions).filter((revision) => !isLive(revision));
  for (const revision of idle.slice(0, Math.max(0, idle.length - limit))) {
    await ignoreNotFound(client(controllerRevisions).delete(keyOf(revision)));
  }
}
