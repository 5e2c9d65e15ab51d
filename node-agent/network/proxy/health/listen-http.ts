import type { RequestListener, Server } from 'node:http';
import { http } from '../../../node-http.ts';

/** Serves HTTP there until the server is closed. Rejects if it cannot listen. */
export function listenHTTP(address: string, port: number, answer: RequestListener): Promise<Server> {
  const server = http.createServer(answer);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      // A connection that cannot be accepted is lost, without further effect.
      server.on('error', () => {});
      resolve(server);
    });
  });
}

/** Closes a server, also where connections are kept open. */
export function closeHTTP(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
