import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { Deployment, ReplicaSet } from '../../../api/types/apps-v1.ts';
import type { PodTemplateSpec } from '../../../api/types/core-v1.ts';

export type Sets = readonly DeepReadonly<ReplicaSet>[];

export const annotationKeys = {
  revision: 'deployment.kubernetes.io/revision',
  revisionHistory: 'deployment.kubernetes.io/revision-history',
  desiredReplicas: 'deployment.kubernetes.io/desired-replicas',
  maxReplicas: 'deployment.kubernetes.io/max-replicas',
} as const;

export const templateHashLabel = 'pod-template-hash';

/** The history of revisions is cut at its front to this many characters. */
const maxHistoryLength = 2000;

/** Annotations of the Deployment that say nothing about its ReplicaSets. */
const notCopied: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  ...Object.values(annotationKeys),
]);

/** Oldest first; of the same second by name. */
export function byCreation(a: DeepReadonly<ReplicaSet>, b: DeepReadonly<ReplicaSet>): number {
  const difference = (findTime(a.metadata.creationTimestamp) ?? 0) - (findTime(b.metadata.creationTimestamp) ?? 0);
  if (difference !== 0) return difference;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

/** Whether two templates are equal apart from the hash label that a ReplicaSet adds. */
export function isSameTemplate(a: DeepReadonly<PodTemplateSpec> | undefined, b: DeepReadonly<PodTemplateSpec> | undefined): boolean {
  return isSemanticallyEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: DeepReadonly<PodTemplateSpec> | undefined): unknown {
  const { [templateHashLabel]: _hash, ...labels } = template?.metadata?.labels ?? {};
  const { labels: _labels, ...metadata } = template?.metadata ?? {};
  return { spec: template?.spec, metadata: Object.keys(labels).length > 0 ? { ...metadata, labels } : metadata };
}

/** The ReplicaSet of the present template; of several the oldest, so that all controllers choose the same. */
export function findNewSet(deployment: DeepReadonly<Deployment>, sets: Sets): DeepReadonly<ReplicaSet> | undefined {
  return [...sets].sort(byCreation).find((set) => isSameTemplate(set.spec?.template, deployment.spec?.template));
}

/** 0 where there is none. An int64 in upstream, and so a bigint here. */
function revisionOf(object: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }): bigint {
  return parseRevision(object.metadata.annotations?.[annotationKeys.revision]);
}

function parseRevision(text = ''): bigint {
  return /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
}

export function maxRevision(sets: Sets): bigint {
  return sets.map(revisionOf).reduce((highest, one) => (one > highest ? one : highest), 0n);
}

export function findCount(set: DeepReadonly<ReplicaSet>, key: string): number | undefined {
  const text = set.metadata.annotations?.[key];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/**
 * The annotations of the ReplicaSet of the current template: the Deployment's own, its revision, and the earlier revisions, from which the
 * history of a rolled-back ReplicaSet is read.
 */
export function annotationsOfNewSet(
  deployment: DeepReadonly<Deployment>,
  present: Readonly<Record<string, string>>,
  revision: bigint,
): Record<string, string> {
  const annotations: Record<string, string> = { ...present };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!notCopied.has(key)) annotations[key] = value;
  }
  const oldRevision = present[annotationKeys.revision];
  if (parseRevision(oldRevision) >= revision) return annotations;
  annotations[annotationKeys.revision] = String(revision);
  if (oldRevision) annotations[annotationKeys.revisionHistory] = addToHistory(present[annotationKeys.revisionHistory], oldRevision);
  return annotations;
}

function addToHistory(history: string | undefined, revision: string): string {
  const entries = history ? history.split(',') : [];
  while (entries.length > 0 && [...entries, revision].join(',').length > maxHistoryLength) entries.shift();
  return [...entries, revision].join(',');
}

/** The old ReplicaSets beyond the history limit, oldest revision first. Only those without Pods whose status is up to date. */
export function setsToClean(deployment: DeepReadonly<Deployment>, old: Sets): Sets {
  const limit = deployment.spec?.revisionHistoryLimit;
  if (limit === undefined || limit === 2_147_483_647) return [];
  const alive = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const excess = alive.length - limit;
  if (excess <= 0) return [];
  const byRevision = [...alive].sort((a, b) => Number(revisionOf(a) - revisionOf(b)) || byCreation(a, b));
  return byRevision
    .slice(0, excess)
    .filter(
      (set) =>
        (set.status?.replicas ?? 0) === 0 && sizeOf(set) === 0 && (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}

/** How many Pods the ReplicaSet is to have. */
export function sizeOf(set: DeepReadonly<ReplicaSet>): number {
  return set.spec?.replicas ?? 1;
}

export function totalSize(sets: Sets): number {
  return sets.reduce((total, set) => total + sizeOf(set), 0);
}
