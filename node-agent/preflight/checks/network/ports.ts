import type { ListeningSocket } from '../../../linux/survey/surveyed-machine.ts';
import { type Check, error, type Finding, ok, type PlannedPort, warning } from '../../check.ts';

/** Ports that the node will listen on, and that another program has. */
export const ports: Check = {
  name: 'Port',
  run({ sockets }, { ports: planned }) {
    return planned.map((port) => portFinding(port, sockets));
  },
};

function portFinding(planned: PlannedPort, sockets: readonly ListeningSocket[]): Finding {
  const { port, protocol, purpose, flag, isOptional = false } = planned;
  const name = `Port-${port}`;
  const user = sockets.find((socket) => socket.protocol === protocol && socket.port === port && collides(planned, socket.address));
  if (user === undefined) return ok(name, `${port}/${protocol}, ${purpose}: free`);
  const { owner } = user;
  if (owner !== undefined && isKubets(owner.command))
    return ok(name, `${port}/${protocol}, ${purpose}: used by kubets itself (process ${owner.pid})`);
  const who = owner === undefined ? 'another program' : `${owner.command.split(' ')[0] ?? ''} (process ${owner.pid})`;
  const remedy = `stop that program${flag === undefined ? '' : `, or choose another port with ${flag}`}`;
  const message = `${port}/${protocol}, ${purpose}, is in use by ${who}`;
  return isOptional ? warning(name, message, remedy) : error(name, message, remedy);
}

function isKubets(command: string): boolean {
  return /node-agent\/main\.ts|server\/cli\/kubets\.(mjs|ts)/.test(command);
}

const isWildcard = (address: string) => address === '0.0.0.0' || address === '::';
const isLoopback = (address: string) => address === '::1' || address.startsWith('127.');

function collides({ on }: PlannedPort, address: string): boolean {
  if (on === 'all' || isWildcard(address)) return true;
  return on === 'loopback' ? address === '127.0.0.1' : !isLoopback(address);
}
