import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../../../api/base/system-clock.ts';
import { systemRandom } from '../../../../../api/base/system-random.ts';
import { makeAuthority, makeCertificate } from '../../../../pki/make-certificate.ts';

export interface RecordedCall {
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export type WebhookAnswer = (review: Review, response: ServerResponse, request: IncomingMessage) => void;

/** An AdmissionReview as it was received. */
export interface Review {
  readonly apiVersion: string;
  readonly request: { readonly uid: string; readonly [field: string]: unknown };
}

/** A webhook over HTTPS that records its requests; a test chooses its answer for each path. */
export interface RecordingWebhook {
  readonly port: number;
  /** In base64. */
  readonly caBundle: string;
  readonly calls: RecordedCall[];
  readonly connections: () => number;
  /** Answers calls of a path. */
  on(path: string, answer: WebhookAnswer): void;
  close(): Promise<void>;
}

export async function startRecordingWebhook(names: readonly string[] = []): Promise<RecordingWebhook> {
  const making = { clock: systemClock, random: systemRandom };
  const authority = await makeAuthority('webhooks', making);
  const pair = await makeCertificate(
    { commonName: 'webhook', usages: ['server'], validityDays: 1, addresses: ['127.0.0.1'], dnsNames: ['localhost', ...names] },
    authority,
    making,
  );
  const answers = new Map<string, WebhookAnswer>();
  const calls: RecordedCall[] = [];
  let connections = 0;
  const server = https.createServer({ key: pair.keyPEM, cert: pair.certificatePEM }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const body = Buffer.concat(chunks).toString();
    calls.push({ path, query, headers: request.headers, body });
    (answers.get(path) ?? allow)(JSON.parse(body) as Review, response, request);
  });
  server.on('secureConnection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.certificatePEM).toString('base64'),
    calls,
    connections: () => connections,
    on: (path, answer) => void answers.set(path, answer),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends an AdmissionReview with that response. */
export function respond({ apiVersion, request }: Review, response: ServerResponse, fields: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, ...fields } }));
}

export const allow: WebhookAnswer = (review, response) => respond(review, response, { allowed: true });

/** The fields of a response with a JSON patch. */
export const patching = (...operations: readonly object[]) => ({
  ...{ allowed: true, patchType: 'JSONPatch' },
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
