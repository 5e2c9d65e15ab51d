import type { WebSocket } from 'ws';

/** A limit of the data that was read from a WebSocket and not passed on yet: above it the socket is not read. */
export interface ReadGate {
  /** `bytes` were read. */
  hold(bytes: number): void;
  /** Releases the bytes of a message that has been passed on, or never will be. */
  release(bytes: number): void;
}

/** Bytes that may wait for each connection. */
const maxWaitingBytes = 1 << 20;
/** Memory for the smallest message, in bytes. */
const messageBytes = 256;

export function createReadGate(socket: WebSocket): ReadGate {
  let waiting = 0;
  return {
    hold(bytes) {
      waiting += bytes + messageBytes;
      if (waiting > maxWaitingBytes) socket.pause();
    },
    release(bytes) {
      waiting -= bytes + messageBytes;
      if (waiting <= maxWaitingBytes && socket.isPaused) socket.resume();
    },
  };
}

/** Answers pings; a client that sends them and reads no answers is not read. */
export function answerPings(socket: WebSocket, gate: ReadGate): void {
  socket.on('ping', (data: Buffer) => {
    gate.hold(data.length);
    socket.pong(data, undefined, () => gate.release(data.length));
  });
}
