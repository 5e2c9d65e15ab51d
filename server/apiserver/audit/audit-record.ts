import type { UntypedObject } from '../../../api/meta/object.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { AuditEvent } from './audit-event.ts';
import { auditLevels, type AuditDecision, type AuditLevel } from './audit-policy.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

/** The parts of the server whose latency is recorded for slow requests, by upstream's names. */
export type AuditLatency = 'authentication' | 'authorization' | 'etcd' | 'response-write';

/** The reports of the server's parts on a request that is audited. */
export interface AuditRecord {
  /** The first value of an annotation stays. With a level: only events of that level and above have it. */
  annotate(key: string, value: string, level?: 'Request'): void;
  /** Counts time that the request spends in a part of the server. */
  addLatency(layer: AuditLatency, ms: number): void;
  noteImpersonation(user: UserInfo): void;
  /** The object of the request, decoded and not yet changed. */
  noteObject(object: UntypedObject): void;
  /** The patch of the request, as it came. */
  notePatch(patch: Uint8Array): void;
}

/** The annotate function for a part that knows only this of its request. */
export function annotating({ audit }: { readonly audit: AuditRecord | undefined }): Partial<Pick<AuditRecord, 'annotate' | 'addLatency'>> {
  return audit ? { annotate: audit.annotate, addLatency: audit.addLatency } : {};
}

export function createAuditRecord(event: AuditEvent, { level, omitManagedFields }: AuditDecision): AuditRecord {
  return {
    annotate(key, value, least) {
      if (least === undefined || isAtLeast(level, least)) event.annotations[key] ??= value;
    },
    addLatency(layer, ms) {
      const latencies = (event.latenciesMs ??= {});
      latencies[layer] = (latencies[layer] ?? 0) + ms;
    },
    noteImpersonation(user) {
      event.impersonatedUser = user;
    },
    noteObject(object) {
      const { namespace, name, uid, resourceVersion } = object.metadata ?? {};
      const reference = (event.objectRef ??= {});
      if (namespace) reference.namespace ||= namespace;
      if (name) reference.name ||= name;
      if (uid) reference.uid ||= uid;
      if (resourceVersion) reference.resourceVersion ||= resourceVersion;
      if (isAtLeast(level, 'Request')) event.requestObject = formatJSON(omitManagedFields ? withoutManagedFields(object) : object);
    },
    notePatch(patch) {
      if (!isAtLeast(level, 'Request')) return;
      const text = new TextDecoder().decode(patch);
      event.requestObject = isJSON(text) ? text.replaceAll(/[\r\n]+/g, ' ') : JSON.stringify(text);
    },
  };
}

export function isAtLeast(level: AuditLevel, wanted: AuditLevel): boolean {
  return auditLevels.indexOf(level) >= auditLevels.indexOf(wanted);
}

/** An object, the items of a list, or the objects in the rows of a Table, without managedFields. */
export function withoutManagedFields(value: unknown): unknown {
  const { metadata, items, rows } = value as { readonly metadata?: object; readonly items?: unknown; readonly rows?: unknown };
  const strip = (holder: unknown) => (typeof holder === 'object' && holder !== null ? withoutManagedFields(holder) : holder);
  const { managedFields: _, ...rest } = (metadata ?? {}) as { readonly managedFields?: unknown };
  return {
    ...(value as object),
    ...(metadata ? { metadata: rest } : {}),
    ...(Array.isArray(items) ? { items: items.map(strip) } : {}),
    ...(Array.isArray(rows)
      ? { rows: rows.map((row: { readonly object?: unknown }) => ({ ...row, ...(row.object ? { object: strip(row.object) } : {}) })) }
      : {}),
  };
}

function isJSON(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
