import type { AuditEvent } from './audit-event.ts';
import type { AuditStage } from './audit-policy.ts';

/** The destination of audit events. */
export interface AuditBackend {
  /**
   * Takes an event as it is now: it changes afterwards. What it returns resolves when the event is safe; absent: the backend
   * takes care of it later. Rejects where it is not stored and the request must not go on without.
   */
  record(event: AuditEvent, stage: AuditStage, stageMs: number): Promise<void> | undefined;
  /** Resolves when everything has been handed on. */
  close(): Promise<void>;
}
