import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { systemRandom } from '../../../../api/base/system-random.ts';
import { makeAuthority, makeCertificate } from '../../../pki/make-certificate.ts';

export const extensionGroup = 'ext.example.com';

/** A request as it came to the extension server. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** Names and values as they came, in their order. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly clientName: string;
  readonly body: string;
}

/** A small API server beside the cluster's, whose answers a test chooses. */
export interface ExtensionServer {
  readonly address: string;
  readonly port: number;
  readonly caPEM: string;
  readonly seen: SeenRequest[];
  /** Replaces the usual answers; undefined: the usual ones. */
  answer: RequestListener | undefined;
  /** Takes the place of the usual answer to upgrades, which is to echo. */
  upgrade: ((request: IncomingMessage, socket: Duplex) => void) | undefined;
  close(): Promise<void>;
}

const resource = { name: 'echoes', singularName: 'echo', namespaced: true, kind: 'Echo', verbs: ['create', 'get', 'list', 'watch'] };

const resourceList = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${extensionGroup}/v1`, resources: [resource] };

const aggregated = {
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: extensionGroup },
      versions: [
        {
          version: 'v1',
          resources: [
            {
              resource: 'echoes',
              responseKind: { group: extensionGroup, version: 'v1', kind: 'Echo' },
              scope: 'Namespaced',
              singularResource: 'echo',
              verbs: resource.verbs,
            },
          ],
          freshness: 'Current',
        },
      ],
    },
  ],
};

const operation = { responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/com.example.ext.v1.Echo' } } } };
const swagger = {
  swagger: '2.0',
  info: { title: 'extension', version: 'v1' },
  paths: { [`/apis/${extensionGroup}/v1/echoes`]: { get: operation }, '/elsewhere': { get: operation } },
  definitions: {
    'com.example.ext.v1.Echo': { type: 'object', description: 'Echo says what was asked.', properties: { said: { type: 'string' } } },
    'com.example.ext.v1.Unused': { type: 'object' },
  },
};
const openAPI3 = { openapi: '3.0.0', info: { title: 'extension', version: 'v1' }, paths: {}, components: { schemas: {} } };

const json = (response: ServerResponse, status: number, value: unknown, type = 'application/json') =>
  void response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));

function usualAnswer(request: IncomingMessage, response: ServerResponse, seen: SeenRequest): void {
  const [path = ''] = (request.url ?? '').split('?');
  if (path === '/apis' && /as=APIGroupDiscoveryList/.test(request.headers.accept ?? ''))
    return json(response, 200, aggregated, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
  if (path === `/apis/${extensionGroup}/v1`) return json(response, 200, resourceList);
  if (path === '/openapi/v2') return json(response, 200, swagger);
  if (path === '/openapi/v3')
    return json(response, 200, {
      paths: { [`apis/${extensionGroup}/v1`]: { serverRelativeURL: `/openapi/v3/apis/${extensionGroup}/v1?hash=ABC` } },
    });
  if (path === `/openapi/v3/apis/${extensionGroup}/v1`) return json(response, 200, openAPI3);
  const status = /\/status-(\d+)$/.exec(path)?.[1];
  if (status !== undefined) {
    const location = /location=([^&]+)/.exec(request.url ?? '')?.[1];
    response.writeHead(Number(status), {
      ...(location === undefined ? {} : { location: decodeURIComponent(location) }),
      ...{ 'content-type': 'text/html', 'x-custom': 'kept', connection: 'x-hop', 'x-hop': '1', 'set-cookie': ['a=1', 'b=2'] },
    });
    return void response.end(status === '204' || status === '304' ? undefined : `<a href="/inner">${status}</a>`);
  }
  if (path.startsWith('/apis/')) return json(response, 200, { kind: 'Echo', apiVersion: `${extensionGroup}/v1`, ...seen });
  json(response, 404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 });
}

function noteRequest(request: IncomingMessage, body: string): SeenRequest {
  const { rawHeaders } = request;
  const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []));
  const clientName = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    lines,
    clientName: clientName === undefined ? '' : String(clientName),
    body,
  };
}

/** Starts one at an address that is not a loopback address, which endpoints may not have. */
export async function startExtensionServer(address: string, names: readonly string[]): Promise<ExtensionServer> {
  const making = { clock: systemClock, random: systemRandom };
  const authority = await makeAuthority('extension-ca', making);
  const pair = await makeCertificate({ commonName: 'extension', usages: ['server'], dnsNames: names, validityDays: 2 }, authority, making);
  const server = https.createServer({ key: pair.keyPEM, cert: pair.certificatePEM, requestCert: true, rejectUnauthorized: false });
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const extension: ExtensionServer = {
    address,
    get port() {
      return (server.address() as AddressInfo).port;
    },
    caPEM: authority.certificatePEM,
    seen: [],
    answer: undefined,
    upgrade: undefined,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  server.on('request', (request, response) => {
    if (extension.answer) return void extension.answer(request, response);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const seen = noteRequest(request, body);
      extension.seen.push(seen);
      usualAnswer(request, response, seen);
    });
  });
  server.on('upgrade', (request, socket) => {
    extension.seen.push(noteRequest(request, ''));
    socket.on('error', () => {});
    if (extension.upgrade) return extension.upgrade(request, socket);
    if (request.url?.includes('refused'))
      return void socket.end('HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`);
    socket.pipe(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  return extension;
}
