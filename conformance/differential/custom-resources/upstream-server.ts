import { Agent, request } from 'node:https';

export interface UpstreamAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

/** A running kube-apiserver, spoken to with a bearer token. */
export interface UpstreamServer {
  send(method: string, path: string, body?: unknown, contentType?: string): Promise<UpstreamAnswer>;
  close(): void;
}

export function connectUpstream(url: string, token: string): UpstreamServer {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, rejectUnauthorized: false });
  return {
    send: (method, path, body, contentType = 'application/json') =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': contentType, accept: 'application/json' };
        const sent = request(new URL(path, url), { method, agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, body: parse(text), warnings: warningsOf(response.headers['warning']) });
          });
        });
        // A server that panics hangs up.
        sent.on('error', (error) => resolve({ status: 0, body: { message: error.message }, warnings: [] }));
        sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
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
