import { Socket } from 'node:net';
import type { Clock } from '../../../api/base/clock.ts';
import { findStopOrder, type StopOrder } from '../../stop-order.ts';

/** The process that has started the agent, at the other ends of the agent's standard input and output. */
interface SupervisorLink {
  /** Ends the heartbeats. */
  close(): void;
}

interface SupervisorOptions {
  readonly clock: Clock;
  readonly onStop: (order: StopOrder) => void;
  /** Called when the agent has ended and will not be started again. */
  readonly onGone: () => void;
}

/** The interval at which the agent reports that its event loop runs. */
const heartbeatMs = 2000;
/** The most unread bytes: a supervisor that does not read gets no further reports. */
const maxUnreadBytes = 1024;

/** Reports to the supervisor on standard output that the agent is alive, and takes its orders from standard input. */
export function connectSupervisor({ clock, onStop, onGone }: SupervisorOptions): SupervisorLink {
  const orders = new Socket({ fd: 0, readable: true, writable: false });
  const heartbeats = new Socket({ fd: 1, readable: false, writable: true });
  let isClosed = false;
  let unread = '';
  for (const socket of [orders, heartbeats]) {
    // Neither orders nor heartbeats are a reason to go on living.
    socket.unref();
    socket.on('error', () => {}); // the other end has gone: `close` of the orders follows
  }
  orders.on('data', (chunk: Buffer) => {
    const lines = (unread + chunk.toString()).split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) {
      const order = findStopOrder(line);
      if (order !== undefined) onStop(order);
    }
  });
  orders.once('close', () => {
    if (!isClosed) onGone();
    isClosed = true;
  });
  const beat = () => {
    if (isClosed) return;
    if (heartbeats.writableLength < maxUnreadBytes) heartbeats.write('\n');
    clock.setTimer(heartbeatMs, beat, { background: true });
  };
  beat();
  return {
    close() {
      isClosed = true;
      orders.destroy();
      heartbeats.destroy();
    },
  };
}
