import type { KubeObject } from '../meta/object.ts';
import type { UserInfo } from '../meta/user-info.ts';

/**
 * The one seam of kubets: a request for the API goes in, a response comes out. The API server is a Transport, the HTTPS
 * client is a Transport, a simulation wraps one to delay, drop or cut. Nobody who holds one can tell where it leads.
 * A Transport throws only when no answer could be had at all (connection refused, aborted); every answer, also a
 * failure, is a response.
 */
export type Transport = (request: APIRequest) => Promise<APIResponse>;

export interface APIRequest {
  readonly method: string;
  /** The path in its wire form: percent-encoded, begins with '/', no query. */
  readonly path: string;
  /** Raw query without '?', '' if none. */
  readonly query: string;
  /** The headers, with names in lower case. The values of repeated headers are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** The values of repeated headers, each by itself. Headers that carry an identity must not be joined or split. */
  readonly repeatedHeaders?: Readonly<Record<string, readonly string[]>>;
  /** The whole body; absent where the method has none, or where it is still to be read. */
  readonly body?: Uint8Array;
  /** A body that is still on its connection: the HTTP edge hands over no more than heads. */
  readonly incoming?: IncomingBody;
  /** Aborted when the caller has gone; ends watches and long-running requests. */
  readonly signal: AbortSignal;
  /** Facts about the peer, known at the edge. Absent for in-process callers. */
  readonly peer?: Peer;
  /** Identity vouched for by the composition root for in-process callers; the HTTP edge never sets it. */
  readonly user?: UserInfo;
  /** True if the caller can switch protocols: the response may then carry `upgrade`. */
  readonly canUpgrade?: boolean;
}

/** A body that is to be read by who knows whose it is and that it is wanted. Can be read once. */
export interface IncomingBody {
  /** All of it, of that user's share of memory. Throws StatusErrors: too large, too slow, too many at once. */
  read(limit: number, user: string): Promise<Uint8Array>;
  /** The body in chunks as they arrive. */
  chunks(): AsyncIterable<Uint8Array>;
  /** The length in bytes, if the client gave it. */
  readonly length: number | undefined;
}

export interface Peer {
  readonly address: string;
  /** Client certificate of the TLS connection, DER; the edge has checked nothing but possession of its key. */
  readonly certificate?: Uint8Array;
  /** Further certificates that the client has sent, DER. */
  readonly intermediates?: readonly Uint8Array[];
}

export interface APIResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ResponseBody;
  /** How long a reader may keep the body waiting before the rest of it is cut. Absent: for ever. */
  readonly patience?: Patience;
  /** Only with status 101: takes over the connection after the head has been written. */
  readonly upgrade?: (channel: ByteChannel) => void;
}

export interface Patience {
  readonly ms: number;
  /** `body`: in all; `pause`: each time. */
  readonly each: 'body' | 'pause';
}

/**
 * Bytes first. In-process readers take `object` or `events`, which are parsed lazily, frozen and shared, where the
 * server offers them, and parse the bytes themselves otherwise.
 */
export type ResponseBody =
  | { readonly kind: 'none' }
  /** `end` follows the bytes on the wire and has no meaning: a newline after large JSON, whose bytes are shared and not copied. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly end?: Uint8Array; readonly object?: () => unknown }
  /**
   * A large body in parts (a list), or an endless one (watch, log). Ends early when the consumer stops iterating. A consumer that no longer
   * needs a chunk may pass it to the next call of `next`, so that its memory can be used again.
   */
  | { readonly kind: 'stream'; readonly chunks: AsyncIterable<Uint8Array>; readonly events?: AsyncIterable<RawWatchEvent> };

/** A watch event before typing. An ERROR event carries a Status as its object. */
export interface RawWatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Readonly<KubeObject>;
}

/** A two-way byte stream after a protocol switch (exec, attach, port-forward, proxied upgrades). */
export interface ByteChannel {
  /** Ends when the peer has half-closed. */
  readonly incoming: AsyncIterable<Uint8Array>;
  /** Resolves when more may be written (back-pressure). */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: no more bytes from this side. */
  end(): void;
  /** Cuts the connection. */
  destroy(error?: Error): void;
  /** Resolves once both directions are closed. */
  readonly closed: Promise<void>;
}
