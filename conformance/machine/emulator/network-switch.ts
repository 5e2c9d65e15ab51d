import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** The network segment between several machines: every frame is sent to all others, as by a hub. */
interface NetworkSwitch {
  readonly port: number;
  /** Pulls the cable of the machine behind a port, or puts it in again. */
  setConnected(port: number, isConnected: boolean): void;
  close(): Promise<void>;
}

/** Carries Ethernet frames, one in a datagram, between the UDP ports of the machines. */
export async function createNetworkSwitch(machinePorts: readonly number[]): Promise<NetworkSwitch> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8 << 20, sendBufferSize: 8 << 20 });
  const disconnected = new Set<number>();
  socket.on('message', (frame, sender) => {
    for (const port of frameReceivers(machinePorts, disconnected, sender.port)) socket.send(frame, port, '127.0.0.1');
  });
  // A machine that is switched off refuses its frames.
  socket.on('error', () => undefined);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    setConnected(port, isConnected) {
      if (isConnected) disconnected.delete(port);
      else disconnected.add(port);
    },
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** The ports that a frame of `sender` goes to. */
export function frameReceivers(ports: readonly number[], disconnected: ReadonlySet<number>, sender: number): number[] {
  if (disconnected.has(sender) || !ports.includes(sender)) return [];
  return ports.filter((port) => port !== sender && !disconnected.has(port));
}
