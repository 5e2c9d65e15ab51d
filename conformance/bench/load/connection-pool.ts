import type { Endpoint, Protocol } from './task.ts';
import { connectHTTP1 } from './http1-connection.ts';
import { connectHTTP2 } from './http2-connection.ts';
import type { Connection } from './connection.ts';

function connect(protocol: Protocol, endpoint: Endpoint): Promise<Connection> {
  return protocol === 'h1' ? connectHTTP1(endpoint) : connectHTTP2(endpoint);
}

/** `count` senders: separate connections with HTTP/1.1, streams of `sessions` connections with HTTP/2. */
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

interface ConnectionPool {
  readonly places: readonly Connection[];
  close(): void;
}
