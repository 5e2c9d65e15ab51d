import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** Sends one command of QEMU's control protocol (QMP) and waits until it has been accepted. */
export async function controlQEMU(socketPath: string, command: 'system_powerdown' | 'system_reset' | 'stop' | 'cont'): Promise<void> {
  const socket = connect(socketPath);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  /** The answer to a command; events may come before it. */
  const answer = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`QEMU closed ${socketPath} before it had answered ${command}`);
      const message = JSON.parse(value) as { readonly return?: unknown; readonly error?: { readonly desc?: string } };
      if (message.error) throw new Error(`QEMU refused ${command}: ${message.error.desc ?? ''}`);
      if (message.return !== undefined) return;
    }
  };
  try {
    // Until the protocol's version is agreed on, QEMU takes no other command.
    for (const execute of ['qmp_capabilities', command]) {
      socket.write(`${JSON.stringify({ execute })}\n`);
      await answer();
    }
  } finally {
    socket.destroy();
  }
}
