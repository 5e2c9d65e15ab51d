import type { Endpoint, Protocol } from './task.ts';
import { connectHTTP1 } from './http1-connection.ts';
import { connectHTTP2 } from './http2-connection.ts';

export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
}

/** Called while bytes are read; what is in `data` is overwritten afterwards. */
export interface ResponseHandler {
  onStatus(status: number): void;
  onData(data: Buffer, start: number, end: number): void;
  onEnd(): void;
  /** The connection or the stream broke; onEnd is not called any more. */
  onError(error: Error): void;
}

/**
 * A connection that does as little as HTTP lets it: no objects for headers, no copies of bodies. What a generator spends
 * is not there for the server on the same machine.
 */
export interface Connection {
  /** Over HTTP/1.1 one at a time. */
  send(request: OutgoingRequest, handler: ResponseHandler): void;
  close(): void;
}

export function connect(protocol: Protocol, endpoint: Endpoint): Promise<Connection> {
  return protocol === 'h1' ? connectHTTP1(endpoint) : connectHTTP2(endpoint);
}

/** `count` places from which to send: connections of their own over HTTP/1.1, streams of `sessions` connections over HTTP/2. */
export async function connectMany(protocol: Protocol, endpoint: Endpoint, count: number, sessions: number): Promise<ConnectionPool> {
  const connections: Connection[] = [];
  const wanted = protocol === 'h1' ? count : Math.min(count, sessions);
  const handshakesAtOnce = 50;
  while (connections.length < wanted) {
    const more = Math.min(handshakesAtOnce, wanted - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: more }, () => connect(protocol, endpoint)))));
  }
  return {
    places: Array.from({ length: count }, (_, index) => connections[index % connections.length]).filter((one) => one !== undefined),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

export interface ConnectionPool {
  readonly places: readonly Connection[];
  close(): void;
}
