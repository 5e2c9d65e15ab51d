import { quote } from '../../../api/base/quote.ts';
import { formatMicroTime } from '../../../api/meta/time.ts';
import type { Status } from '../../../api/meta/status.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { AuditLevel, AuditStage } from './audit-policy.ts';

interface ObjectReference {
  resource?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiGroup?: string;
  apiVersion?: string;
  resourceVersion?: string;
  subresource?: string;
}

/** The facts about a request so far; filled in on its way. */
export interface AuditEvent {
  readonly level: AuditLevel;
  readonly auditID: string;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: UserInfo;
  impersonatedUser?: UserInfo;
  readonly sourceIPs: readonly string[];
  readonly userAgent: string;
  objectRef?: ObjectReference;
  responseStatus?: Partial<Pick<Status, 'status' | 'message' | 'reason' | 'details' | 'code'>>;
  /** JSON. */
  requestObject?: string;
  /** JSON. */
  responseObject?: string;
  readonly receivedMs: number;
  readonly annotations: Record<string, string>;
  /** Time spent in parts of the server, in milliseconds, by their names. */
  latenciesMs?: Record<string, number>;
}

const maxUserAgentLength = 1024;

/** Clients choose their user agent; upstream cuts it at the same length. */
export function shortenUserAgent(text: string): string {
  return text.length > maxUserAgentLength ? `${text.slice(0, maxUserAgentLength)}...TRUNCATED` : text;
}

/** An event as one line of JSON, its fields in upstream's order. */
export function formatAuditEvent(event: AuditEvent, stage: AuditStage, stageMs: number): string {
  const { level, auditID, requestURI, verb, user, impersonatedUser, sourceIPs, userAgent, objectRef, responseStatus } = event;
  const head = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    ...{ level, auditID, stage, requestURI, verb },
    user: formatUser(user),
    ...(impersonatedUser ? { impersonatedUser: formatUser(impersonatedUser) } : {}),
    ...(sourceIPs.length > 0 ? { sourceIPs } : {}),
    ...(userAgent === '' ? {} : { userAgent }),
    ...(objectRef ? { objectRef: orderedReference(objectRef) } : {}),
    ...(responseStatus ? { responseStatus: orderedStatus(responseStatus) } : {}),
  };
  const tail = {
    requestReceivedTimestamp: formatMicroTime(event.receivedMs),
    stageTimestamp: formatMicroTime(stageMs),
    ...(Object.keys(event.annotations).length > 0 ? { annotations: sortedByName(event.annotations) } : {}),
  };
  const objects = [
    ...(event.requestObject === undefined ? [] : [`"requestObject":${event.requestObject}`]),
    ...(event.responseObject === undefined ? [] : [`"responseObject":${event.responseObject}`]),
  ];
  // Objects are passed on as the JSON that they are.
  return [JSON.stringify(head).slice(0, -1), ...objects, JSON.stringify(tail).slice(1)].join(',');
}

/** An event as one line of text, upstream's format `legacy`. */
export function formatLegacyAuditEvent(event: AuditEvent, stage: AuditStage): string {
  const { auditID, sourceIPs, verb, user, impersonatedUser, userAgent, objectRef, requestURI, responseStatus } = event;
  const groups = (list: readonly string[]) => list.map(quote).join(',');
  const fields: readonly [name: string, value: string][] = [
    ['id', auditID],
    ['stage', stage],
    ['ip', sourceIPs[0] ?? '<unknown>'],
    ['method', verb],
    ['user', user.name || '<none>'],
    ['groups', user.name !== '' && user.groups.length > 0 ? groups(user.groups) : '<none>'],
    ['as', impersonatedUser?.name ?? '<self>'],
    ['asgroups', impersonatedUser ? groups(impersonatedUser.groups) : '<lookup>'],
    ['user-agent', userAgent],
    ['namespace', objectRef?.namespace || '<none>'],
    ['uri', requestURI],
  ];
  const text = fields.map(([name, value]) => `${name}=${quote(value)}`).join(' ');
  return `${formatMicroTime(event.receivedMs)} AUDIT: ${text} response="${responseStatus?.code ?? '<deferred>'}"`;
}

function formatUser({ name, uid, groups, extra }: UserInfo): object {
  return {
    ...(name === '' ? {} : { username: name }),
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra && Object.keys(extra).length > 0 ? { extra: sortedByName(extra) } : {}),
  };
}

function orderedReference(reference: ObjectReference): ObjectReference {
  const order = ['resource', 'namespace', 'name', 'uid', 'apiGroup', 'apiVersion', 'resourceVersion', 'subresource'] as const;
  return Object.fromEntries(order.flatMap((field) => (reference[field] ? [[field, reference[field]]] : [])));
}

function orderedStatus({ status, message, reason, details, code }: NonNullable<AuditEvent['responseStatus']>): object {
  return {
    metadata: {},
    ...(status ? { status } : {}),
    ...(message ? { message } : {}),
    ...(reason ? { reason } : {}),
    ...(details ? { details } : {}),
    ...(code ? { code } : {}),
  };
}

function sortedByName<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
