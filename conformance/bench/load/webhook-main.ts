import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { WebhookMessage, WebhookSettings } from './webhook.ts';

/** A webhook that admits everything: a process of its own, that tells how long it takes for an answer. */
function say(message: WebhookMessage): void {
  process.send?.(message);
}

interface Review {
  readonly apiVersion: string;
  readonly request: { readonly uid: string };
}

let spentMs = 0;
let calls = 0;

function start({ key, certificate }: WebhookSettings): void {
  const server = createServer({ key, cert: certificate, keepAliveTimeout: 60_000 }, (request, response) => {
    const startedMs = performance.now();
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { apiVersion, request: asked } = JSON.parse(Buffer.concat(pieces).toString()) as Review;
      response.setHeader('content-type', 'application/json');
      response.end(`{"apiVersion":"${apiVersion}","kind":"AdmissionReview","response":{"uid":"${asked.uid}","allowed":true}}`);
      spentMs += performance.now() - startedMs;
      calls++;
    });
  });
  server.listen(0, '127.0.0.1', () => say({ type: 'listening', port: (server.address() as AddressInfo).port }));
}

process.on('message', (message: WebhookSettings | 'spent') => {
  if (message === 'spent') {
    say({ type: 'spent', spentMs, calls });
    [spentMs, calls] = [0, 0];
  } else start(message);
});
process.on('disconnect', () => process.exit(0));
