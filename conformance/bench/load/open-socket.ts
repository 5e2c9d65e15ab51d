import tls from 'node:tls';
import type { Endpoint } from './task.ts';

interface SocketHandler {
  /** The bytes are overwritten when it returns. */
  onRead(bytes: Buffer, length: number): void;
  onClose(error: Error | undefined): void;
}

/** All sockets read into this buffer, one after the other. */
const sharedBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** A TLS connection whose bytes are handed over without a buffer being made for them. */
export function openSocket({ host, port, caPEM }: Endpoint, protocol: string, handler: SocketHandler): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const onread = {
      buffer: sharedBuffer,
      callback(length: number, bytes: Uint8Array): boolean {
        handler.onRead(bytes as Buffer, length);
        return true;
      },
    };
    // The types lack the options of net.connect, which tls.connect takes too.
    const options = { host, port, ca: caPEM, ALPNProtocols: [protocol], onread };
    const socket = tls.connect(options as tls.ConnectionOptions);
    let failure: Error | undefined;
    socket.setNoDelay(true);
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol === protocol) return resolve(socket);
      socket.destroy();
      reject(new Error(`the server chose '${socket.alpnProtocol}' in place of ${protocol}`));
    });
    socket.on('error', (error) => {
      failure = error;
      reject(error);
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      reject(failure ?? new Error('closed'));
      handler.onClose(failure);
    });
  });
}
