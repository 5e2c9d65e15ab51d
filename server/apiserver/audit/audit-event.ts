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
  const { requestURI, verb, user, impersonatedUser, sourceIPs, userAgent, objectRef, responseStatus, annotations } = event;
  // Two are written for each request: member by member is several times as fast as objects that are made for it.
  let text = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"${event.level}","auditID":${JSON.stringify(event.auditID)}`;
  text += `,"stage":"${stage}","requestURI":${JSON.stringify(requestURI)},"verb":${JSON.stringify(verb)},"user":${userJSON(user)}`;
  if (impersonatedUser) text += `,"impersonatedUser":${userJSON(impersonatedUser)}`;
  if (sourceIPs.length > 0) text += `,"sourceIPs":${JSON.stringify(sourceIPs)}`;
  if (userAgent !== '') text += `,"userAgent":${JSON.stringify(userAgent)}`;
  if (objectRef) text += `,"objectRef":${referenceJSON(objectRef)}`;
  if (responseStatus) text += `,"responseStatus":${JSON.stringify(orderedStatus(responseStatus))}`;
  // Objects are passed on as the JSON that they are.
  if (event.requestObject !== undefined) text += `,"requestObject":${event.requestObject}`;
  if (event.responseObject !== undefined) text += `,"responseObject":${event.responseObject}`;
  text += `,"requestReceivedTimestamp":"${formatMicroTime(event.receivedMs)}","stageTimestamp":"${formatMicroTime(stageMs)}"`;
  if (Object.keys(annotations).length > 0) text += `,"annotations":${JSON.stringify(sortedByName(annotations))}`;
  return `${text}}`;
}

/** Users as they stand in events: the same one comes with many requests. */
const knownUsers = new WeakMap<UserInfo, string>();

function userJSON(user: UserInfo): string {
  let json = knownUsers.get(user);
  if (json === undefined) knownUsers.set(user, (json = JSON.stringify(formatUser(user))));
  return json;
}

const referenceFields = ['resource', 'namespace', 'name', 'uid', 'apiGroup', 'apiVersion', 'resourceVersion', 'subresource'] as const;

function referenceJSON(reference: ObjectReference): string {
  let text = '';
  for (const field of referenceFields) {
    const value = reference[field];
    if (value) text += `${text === '' ? '' : ','}"${field}":${JSON.stringify(value)}`;
  }
  return `{${text}}`;
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
