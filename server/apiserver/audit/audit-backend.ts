import type { AuditEvent } from './audit-event.ts';
import type { AuditStage } from './audit-policy.ts';

/** The destination of audit events. */
export interface AuditBackend {
  /**
   * Takes an event in its present state; it is changed afterwards. Resolves when the event is stored; returns nothing if the backend stores
   * it later. Rejects if it was not stored and the request must not go on.
   */
  record(event: AuditEvent, stage: AuditStage, stageMs: number): Promise<void> | undefined;
  /** Resolves when everything has been handed on. */
  close(): Promise<void>;
}
