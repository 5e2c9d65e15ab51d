import type { Connection, OutgoingRequest, ResponseHandler } from './connection.ts';
import { HTTP1Parser } from './http1-parser.ts';
import { openSocket } from './open-socket.ts';
import type { Endpoint } from './task.ts';

/** HTTP/1.1 over TLS, one request at a time. */
export async function connectHTTP1(endpoint: Endpoint): Promise<Connection> {
  let current: ResponseHandler | undefined;
  const take = (): ResponseHandler | undefined => {
    const handler = current;
    current = undefined;
    return handler;
  };
  const parser = new HTTP1Parser({
    onStatus: (status) => current?.onStatus(status),
    onData: (data, start, end) => current?.onData(data, start, end),
    onEnd: () => take()?.onEnd(),
  });
  const socket = await openSocket(endpoint, 'http/1.1', {
    onRead: (bytes, length) => parser.read(bytes, length),
    onClose: (error) => take()?.onError(error ?? new Error('closed')),
  });
  const constant = `Host: ${endpoint.host}:${endpoint.port}\r\nAccept: application/json\r\nAuthorization: Bearer ${endpoint.token}\r\n`;
  return {
    send(request, handler) {
      if (current) throw new Error('there is a request under way on this connection');
      if (socket.destroyed) return handler.onError(new Error('closed'));
      current = handler;
      socket.write(formatRequest(request, constant));
    },
    close: () => socket.destroy(),
  };
}

function formatRequest({ method, path, contentType, body }: OutgoingRequest, constant: string): string {
  const head = `${method} ${path} HTTP/1.1\r\n${constant}`;
  if (body === undefined) return `${head}\r\n`;
  return `${head}Content-Type: ${contentType ?? 'application/json'}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
