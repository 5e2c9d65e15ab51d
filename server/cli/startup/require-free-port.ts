import { createServer } from 'node:net';

/** Rejects with an error that says what to do if another program listens on the port. Port 0 is always free. */
export function requireFreePort(port: number, { what, flag }: { readonly what: string; readonly flag: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(
        isTaken ? new Error(`port ${port}, ${what}, is taken by another program; choose another with ${flag}`, { cause: error }) : error,
      );
    });
    probe.listen(port, () => probe.close(() => resolve()));
  });
}
