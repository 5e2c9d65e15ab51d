import assert from 'node:assert/strict';
import { type AuditEvent, formatAuditEvent } from './audit-event.ts';
import type { AuditLevel } from './audit-policy.ts';
import { truncateEvents } from './truncate-event.ts';

describe('events that are too large', () => {
  const eventOf = (level: AuditLevel, bytes: number, path = '/'): AuditEvent => ({
    ...{ level, auditID: 'a', requestURI: path, verb: 'get', sourceIPs: [], userAgent: '', receivedMs: 0, annotations: { k: 'v' } },
    ...{ user: { name: 'jane', groups: [] }, requestObject: JSON.stringify('x'.repeat(bytes)), responseObject: '{"kind":"A"}' },
  });
  const truncate = truncateEvents(1000, formatAuditEvent);
  const shown = (event: AuditEvent) => {
    const line = truncate(event, 'ResponseComplete', 1);
    return line === undefined ? undefined : (JSON.parse(line) as AuditEvent);
  };
  it('stay as they are up to the size', () => {
    const event = eventOf('Request', 0);
    const size = Buffer.byteLength(formatAuditEvent(event, 'ResponseComplete', 1)) + 1;
    assert.equal(shown(eventOf('Request', 1000 - size))?.requestObject?.length, 1000 - size);
  });
  it('lose their objects, and say so', () => {
    const event = shown(eventOf('RequestResponse', 1000));
    assert.deepEqual([event?.requestObject, event?.responseObject], [undefined, undefined]);
    assert.deepEqual(event?.annotations, { 'audit.k8s.io/truncated': 'true', k: 'v' });
  });
  it('are left out where that is not enough, or where they have no objects', () => {
    assert.equal(shown(eventOf('Request', 1000, `/${'x'.repeat(1000)}`)), undefined);
    assert.equal(shown(eventOf('Metadata', 1000)), undefined);
  });
  it('count bytes, not characters', () => {
    const line = truncateEvents(1000, formatAuditEvent)(eventOf('Request', 0, `/${'é'.repeat(450)}`), 'ResponseComplete', 1);
    assert.equal(line, undefined);
  });
});
