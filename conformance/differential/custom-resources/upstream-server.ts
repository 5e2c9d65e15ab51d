import { Agent, request } from 'node:https';

export interface UpstreamAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

/** Who asks, by a token or by a client certificate. */
type Credentials = { readonly token: string } | { readonly cert: string; readonly key: string };

/** A running API server. */
export interface UpstreamServer {
  /** Sends JSON, or a text as it is. */
  send(method: string, path: string, body?: unknown, contentType?: string, accept?: string): Promise<UpstreamAnswer>;
  close(): void;
}

export function connectUpstream(url: string, credentials: Credentials): UpstreamServer {
  const certificate = 'token' in credentials ? {} : credentials;
  const authorization = 'token' in credentials ? { authorization: `Bearer ${credentials.token}` } : {};
  const agent = new Agent({ keepAlive: true, maxSockets: 16, rejectUnauthorized: false, ...certificate });
  return {
    send: (method, path, body, contentType = 'application/json', accept = 'application/json') =>
      new Promise((resolve, reject) => {
        const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
        const ofBody = text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) };
        const headers = { ...authorization, accept, ...ofBody };
        const sent = request(new URL(path, url), { method, agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, body: parse(answer), warnings: warningsOf(response.headers['warning']) });
          });
        });
        // A server that panics hangs up.
        sent.on('error', (error) => resolve({ status: 0, body: { message: error.message }, warnings: [] }));
        sent.end(text);
      }),
    close: () => agent.destroy(),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { message: text };
  }
}

/** `299 - "text", 299 - "text"`. */
function warningsOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, warning = '']) => warning.replaceAll(/\\(.)/g, '$1'));
}
