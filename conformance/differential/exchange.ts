import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { type Answer, type DifferentialRequest, type Facts, fillIn } from './differential-request.ts';
import type { Identity } from './identities.ts';

/** An API server under comparison. */
export interface Endpoint {
  readonly name: string;
  readonly port: number;
  readonly ca: string;
  readonly facts: Facts;
}

/** Sends requests to one server, with a separate connection for each identity. */
export interface Exchange {
  send(request: DifferentialRequest): Promise<Answer>;
  close(): void;
}

/** The milliseconds after which a streamed answer is cut. */
const streamMs = 400;
const timeoutMs = 30_000;

export function createExchange({ port, ca, facts }: Endpoint, identities: ReadonlyMap<string, Identity>): Exchange {
  const agents = new Map<string, Agent>();
  const agentOf = ({ name, certificate }: Identity): Agent => {
    let agent = agents.get(name);
    if (!agent) {
      agent = new Agent({ keepAlive: true, maxSockets: 1, ca, ...certificate, checkServerIdentity: () => undefined });
      agents.set(name, agent);
    }
    return agent;
  };
  return {
    send(sent) {
      const identity = identities.get(sent.as);
      if (!identity) throw new Error(`there is no identity '${sent.as}'`);
      const body =
        sent.body === undefined ? undefined : fillIn(typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body), facts);
      const lines: [string, string][] = [
        ['Host', `127.0.0.1:${port}`],
        ['Accept', 'application/json'],
        ['User-Agent', 'differential'],
      ];
      for (const [name, value] of [...identity.headers, ...(sent.headers ?? [])]) lines.push([name, fillIn(value, facts)]);
      if (body !== undefined)
        lines.push(['Content-Type', sent.contentType ?? 'application/json'], ['Content-Length', String(Buffer.byteLength(body))]);
      else if (!['GET', 'HEAD'].includes(sent.method)) lines.push(['Content-Length', '0']);
      const options = { port, method: sent.method, path: fillIn(sent.path, facts), headers: lines.flat(), agent: agentOf(identity) };
      return exchangeOnce(options, body);
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

type Options = Omit<RequestOptions, 'headers'> & { readonly headers: string[] };

function exchangeOnce(options: Options, body: string | undefined): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request({ host: '127.0.0.1', timeout: timeoutMs, ...options }, (response) => {
    const chunks: Buffer[] = [];
    const cut = setTimeout(() => response.destroy(), (response.statusCode ?? 0) < 300 ? streamMs : timeoutMs);
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', () => {});
    response.once('close', () => {
      clearTimeout(cut);
      resolve(answerOf(response, Buffer.concat(chunks).toString()));
    });
  });
  outgoing.once('upgrade', (response, socket) => {
    socket.destroy();
    resolve(answerOf(response, ''));
  });
  outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer in ${timeoutMs} ms`)));
  outgoing.once('error', reject);
  outgoing.end(body);
  return promise;
}

function answerOf({ statusCode = 0, headers, rawHeaders }: IncomingMessage, body: string): Answer {
  const warnings = rawHeaders.flatMap((name, index) =>
    // Several values in one header are equivalent to several headers.
    index % 2 === 0 && name.toLowerCase() === 'warning' ? (rawHeaders[index + 1] ?? '').split(/, (?=299 - ")/) : [],
  );
  return { status: statusCode, contentType: (headers['content-type'] ?? '').split(';')[0] ?? '', warnings, body };
}
