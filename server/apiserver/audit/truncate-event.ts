import { type AuditEvent, formatAuditEvent } from './audit-event.ts';
import type { AuditStage } from './audit-policy.ts';
import { isAtLeast } from './audit-record.ts';

export type FormatEvent = (event: AuditEvent, stage: AuditStage, stageMs: number) => string;

/** The annotation of events whose objects were left out because they were too large. */
export const truncatedAnnotation = 'audit.k8s.io/truncated';

/**
 * Formats events up to a size of their JSON in bytes. A larger event loses its request and response objects; undefined if it is too large
 * without them.
 */
export function truncateEvents(maxEventBytes: number, format: FormatEvent): (...event: Parameters<FormatEvent>) => string | undefined {
  return (event, stage, stageMs) => {
    if (sizeOf(event, stage, stageMs) <= maxEventBytes) return format(event, stage, stageMs);
    if (!isAtLeast(event.level, 'Request')) return undefined;
    const { requestObject: _request, responseObject: _response, ...rest } = event;
    const shorter: AuditEvent = { ...rest, annotations: { ...event.annotations, [truncatedAnnotation]: 'true' } };
    return sizeOf(shorter, stage, stageMs) <= maxEventBytes ? format(shorter, stage, stageMs) : undefined;
  };
}

/** With the end of its line. */
function sizeOf(event: AuditEvent, stage: AuditStage, stageMs: number): number {
  return Buffer.byteLength(formatAuditEvent(event, stage, stageMs)) + 1;
}
