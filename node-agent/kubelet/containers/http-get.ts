import https from 'node:https';
import { http } from '../../node-http.ts';
import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { HTTPGetAction } from '../../../api/types/core-v1.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

interface HTTPGetOptions {
  readonly action: DeepReadonly<HTTPGetAction>;
  readonly container: AnyContainer;
  readonly podIP: string;
  readonly userAgent: string;
  /** For all of it: a server that answers a byte at a time is late as well. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

interface HTTPGetResult {
  readonly url: string;
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

const maxBodyBytes = 10 * 1024;

/** The number of a port that is given by number or by name. */
export function portNumber(port: number | string, container: AnyContainer): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  if (named !== undefined) return named;
  if (/^\d+$/.test(port)) return Number(port);
  throw new Error(`couldn't find port: "${port}" in container "${container.name}"`);
}

function urlOf({ action, container, podIP }: Pick<HTTPGetOptions, 'action' | 'container' | 'podIP'>): string {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const host = action.host || podIP;
  const path = action.path ?? '/';
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${portNumber(action.port, container)}${path.startsWith('/') ? '' : '/'}${path}`;
}

/**
 * Sends a GET for a probe or a hook. Certificates are not verified, header names are sent as given, and the failure's message is that of
 * Go's HTTP client, since events show it.
 */
export function httpGet(options: HTTPGetOptions): Promise<HTTPGetResult> {
  const url = urlOf(options);
  const headers: Record<string, string> = { 'user-agent': options.userAgent, accept: '*/*', connection: 'close' };
  for (const { name, value } of options.action.httpHeaders ?? []) {
    if (value === '' && name.toLowerCase() === 'accept') delete headers['accept'];
    else headers[name.toLowerCase()] = value;
  }
  return new Promise((resolve, reject) => {
    const fail = (problem: string) => {
      timer.cancel();
      reject(new Error(`Get "${url}": ${problem}`));
    };
    const settings = { headers, agent: false as const, rejectUnauthorized: false, ...(options.signal ? { signal: options.signal } : {}) };
    const request = (url.startsWith('https:') ? https : http).get(url, settings, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      isReading = true;
      const finish = () => {
        timer.cancel();
        resolve({ url, status: response.statusCode ?? 0, location: response.headers.location, body: Buffer.concat(chunks).toString() });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk.subarray(0, maxBodyBytes - size));
        size += chunk.length;
        if (size >= maxBodyBytes) {
          finish();
          response.destroy();
        }
      });
      response.on('end', finish);
      response.on('error', (error) => fail(error.message));
    });
    let isReading = false;
    const timer = options.clock.setTimer(
      options.timeoutMs,
      () => {
        fail(
          `context deadline exceeded (Client.Timeout ${isReading ? 'or context cancellation while reading body' : 'exceeded while awaiting headers'})`,
        );
        request.destroy();
      },
      { background: true },
    );
    // A server may switch protocols without being asked; the answer then has no body.
    request.on('upgrade', (response, socket) => {
      timer.cancel();
      socket.on('error', () => {});
      socket.destroy();
      resolve({ url, status: response.statusCode ?? 0, location: undefined, body: '' });
    });
    request.on('error', (error) => fail(dialProblem(error)));
  });
}

/** `dial tcp 10.0.0.1:80: connect: connection refused` for a system error of a socket. */
export function dialProblem(error: Error): string {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  };
  const problem = words[code ?? ''];
  if (problem !== undefined && address !== undefined) return `dial tcp ${address}:${port}: ${problem}`;
  if (code === 'ECONNRESET') return error.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer';
  return error.message;
}
