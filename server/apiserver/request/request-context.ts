import type { Clock } from '../../../api/base/clock.ts';
import type { APIRequest, APIResponse } from '../../../api/client/transport.ts';
import type { AuditRecord } from '../audit/audit-record.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';

/** The meaning of a request's path and method (upstream's RequestInfo). */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** Percent-decoded path. */
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection, or the lower-case method for non-resource requests. */
  readonly verb: string;
  /** 'api' or 'apis'; '' for non-resource requests. */
  readonly apiPrefix: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** All path segments after the version (and namespace), percent-decoded. */
  readonly parts: readonly string[];
  /** The number of path segments before `parts`. */
  readonly depth: number;
  /** Whether the path has the prefix `watch/`. */
  readonly isWatchPath: boolean;
  /** Whether the path has the prefix `proxy/`, of proxies that are no more. */
  readonly isProxyPath: boolean;
  /** Whether nothing is served at paths of that form, whatever the resource. */
  readonly leadsNowhere: boolean;
  /** Whether the path names a namespace that the resource is in; false for a Namespace itself. */
  readonly isBelowNamespace: boolean;
}

/** The state of one request on its way through filters, endpoint, admission and registry. Filters fill it in. */
export interface RequestContext {
  /** Without credentials, once the filters of authentication and impersonation have read them. */
  request: APIRequest;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  /** The id that the answer and audit events name the request by; set by the filter of audit ids. */
  auditID: string;
  /** Receives annotations for the audit log; undefined if the request is not audited. Set by the audit filter. */
  audit: AuditRecord | undefined;
  /** How long the authentication filter took; 0 for callers within this process. */
  authenticationMs: number;
  /** Annotations of the credentials for audit events; set by the authentication filter. */
  credentialAnnotations: Readonly<Record<string, string>> | undefined;
  /** Set by the authentication filter; changed by impersonation. */
  user: UserInfo;
  readonly clock: Clock;
  readonly receivedMs: number;
  /** Text for a Warning header (RFC 9110: 299 - "text"); duplicates are dropped. */
  addWarning(text: string): void;
  readonly warnings: readonly string[];
  /** Whether another API server answers the request (an APIService with a Service); set by the filter of routes. */
  isDelegated: boolean;
  /** Aborted when the client has gone, the request has timed out, or the server is shutting down. */
  readonly signal: AbortSignal;
  /** The end of the request's time by the monotonic clock; undefined where it has none. Set by the filter of timeouts. */
  deadlineMs: number | undefined;
  /** The headers that name the request's flow in the answer; set by API Priority and Fairness. */
  flowHeaders: Readonly<Record<string, string>> | undefined;
  /** Called when a watch has sent the initial objects; set by API Priority and Fairness. */
  watchInitialized: (() => void) | undefined;
  /** To be called with the bytes of each event that a watch has handed over; set by the filter that counts them. */
  watchEventsSent: ((sizes: readonly number[]) => void) | undefined;
  /** Time for which the server is not to blame: waiting for a seat, webhooks. */
  waitedMs: number;
  /** The code with which the server ended the request in self-defence; 0 if it did not. */
  terminatedWith: number;
  /** Ends the request from the inside: aborts `signal` with that reason. */
  abort(reason: Error): void;
}

export type Handler = (context: RequestContext) => Promise<APIResponse>;

/** A part of the handler chain: does its part and calls the next one, or answers itself. Throws StatusError for failures. */
export type Filter = (next: Handler) => Handler;
