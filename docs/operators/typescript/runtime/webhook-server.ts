import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { messageOf } from './api-error.ts';
import type { ServingCertificate } from './certificates.ts';
import { log } from './log.ts';

/** Answers a review, which the API server has sent as JSON, with another. */
type ReviewHandler = (review: unknown) => unknown;

interface WebhookServer {
  readonly port: number;
  setCertificate(certificate: ServingCertificate): void;
  /** Ends when the requests that are under way have been answered. */
  close(): Promise<void>;
}

interface WebhookServerOptions {
  readonly port: number;
  readonly certificate: ServingCertificate;
  readonly handlers: Readonly<Record<string, ReviewHandler>>;
  isReady(): boolean;
}

/** Objects have 3 MiB at most; a review has the old and the new one, a conversion up to a hundred. */
const maxBodyBytes = 64 * 1024 * 1024;

/** Serves the webhooks and the probes, with TLS. */
export async function startWebhookServer({ port, certificate, handlers, isReady }: WebhookServerOptions): Promise<WebhookServer> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? '/', 'https://webhook').pathname;
    if (path === '/healthz') return send(response, 200, 'ok');
    if (path === '/readyz') return isReady() ? send(response, 200, 'ok') : send(response, 503, 'not ready');
    const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
    if (!handler) return send(response, 404, 'not found');
    if (request.method !== 'POST') return send(response, 405, 'only POST');
    const body = await readBody(request);
    if (body === undefined) return send(response, 413, 'too large');
    try {
      send(response, 200, JSON.stringify(handler(JSON.parse(body))), 'application/json');
    } catch (error) {
      send(response, 400, messageOf(error));
    }
  };
  const server = createServer({ cert: certificate.certificatePEM, key: certificate.keyPEM }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      log('a request failed', { url: request.url, error: messageOf(error) });
      response.destroy();
    });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  const address = server.address();
  return {
    port: address && typeof address === 'object' ? address.port : port,
    setCertificate: ({ certificatePEM, keyPEM }) => server.setSecureContext({ cert: certificatePEM, key: keyPEM }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > maxBodyBytes) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, code: number, body: string, type = 'text/plain'): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
