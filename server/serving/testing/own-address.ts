import os from 'node:os';

/** An address of this machine that the proxy of a Pod may connect to: none of loopback. */
export function ownAddress(): string | undefined {
  const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
