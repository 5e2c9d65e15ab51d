import type { APIResponse, IncomingBody } from '../../../api/client/transport.ts';

/** An HTTPS server that the API server calls, and the certificates of both sides. */
export interface SecureTarget extends TLSSettings {
  /** An address or a name. */
  readonly host: string;
  readonly port: number;
  /** The name that the server's certificate must be for; it is sent when the connection is made. */
  readonly serverName: string;
  /** Refuses loopback and link-local addresses, looked at after names have been resolved: for targets that users can choose. */
  readonly refuseLocal?: boolean;
}

export interface TLSSettings {
  /** PEM of the authorities that may have signed the server's certificate. Absent: the machine's. */
  readonly caPEM?: string;
  /** Takes any certificate of the server. */
  readonly insecureSkipTLSVerify?: boolean;
  /** How the API server presents itself. */
  readonly clientCertificate?: { readonly certificatePEM: string; readonly keyPEM: string };
}

export interface SecureRequest {
  readonly method: string;
  readonly path: string;
  /** Without '?'; '' if there is none. */
  readonly query: string;
  /** Headers to pass on, without credentials (authorization, impersonation, front proxy) and without those of one connection. */
  readonly headers: Readonly<Record<string, string>>;
  /** Headers of the API server itself, which take the place of others of their names; several values are several lines. */
  readonly ownHeaders?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array;
  /** In place of `body`: a body that is passed on as it arrives. */
  readonly incoming?: IncomingBody;
  /** Default false. */
  readonly canUpgrade?: boolean;
  /** Ends the request. It must be aborted if the answer's body is not read to its end, which would keep the connection. */
  readonly signal: AbortSignal;
}

/**
 * Makes HTTPS requests (HTTP/1.1). Connections are kept for the next request with the same target and certificates. Redirects
 * are answered, never followed. Rejects with a DialError whose message is in Go's words where no answer could be had.
 */
export interface SecureDialer {
  send(target: SecureTarget, request: SecureRequest): Promise<APIResponse>;
}
