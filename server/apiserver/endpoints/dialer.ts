import type { APIRequest, APIResponse } from '../../../api/client/transport.ts';

/** Where a connection that the API server makes for someone leads. */
export interface DialTarget {
  readonly scheme: 'http' | 'https';
  /** Name or address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /**
   * `kubelet`: with the API server's client certificate, against the CA of kubelets. `none`: without any credential, and
   * whatever certificate the other side has (pods, services).
   */
  readonly trust: 'kubelet' | 'none';
  /** Refuses loopback and link-local addresses, after names have been resolved: for targets that users can choose. */
  readonly refuseLocal: boolean;
}

/**
 * Makes one HTTP/1.1 request of the API server's own. Redirects are not followed, credentials of the user (authorization,
 * impersonation and front proxy headers) are never passed on. A request with `canUpgrade` and an `upgrade` header may be
 * answered by 101 with `upgrade`; any other answer to it ends the connection. Throws DialError if nobody answers.
 */
export type Dialer = (
  target: DialTarget,
  request: Pick<APIRequest, 'method' | 'path' | 'query' | 'headers' | 'body' | 'signal' | 'canUpgrade'>,
) => Promise<APIResponse>;

/** `refused`: the address is not allowed; `unreachable`: nobody answered. The message is fit to be shown. */
export class DialError extends Error {
  readonly reason: 'refused' | 'unreachable';
  constructor(reason: 'refused' | 'unreachable', message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DialError';
    this.reason = reason;
  }
}
