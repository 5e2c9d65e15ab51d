import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '../../../api/base/logger.ts';
import type { TLSSettings } from '../../../api/base/tls-settings.ts';
import { localVolumesAction } from '../../../api/semantics/storage/local-volumes.ts';
import { dns1123SubdomainProblems } from '../../../api/validation/names.ts';
import { HTTPProblem } from './http-problem.ts';
import { openContainerLog, type LogRequestDependencies } from './log-request.ts';
import type { NodeInformation } from './node-information.ts';
import { type LocalDirectories, VolumeInUseError } from '../volumes/local-directories.ts';
import type { IdentifyRequest } from './request-identity.ts';
import { type PermitRequest, requestAttributes } from './request-permission.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { parseRequestTarget, type RequestTarget } from './request-target.ts';
import { createStreamingRequests, type StreamingRequests } from './streaming-requests.ts';
import { openSystemLog } from './system-logs.ts';

interface KubeletServerSettings {
  readonly port: number;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authorities that sign clients' certificates. */
  readonly clientCA: string;
  readonly tls: TLSSettings;
  readonly nodeName: string;
  /** After which upgraded connections are ended that carry nothing; 0: never. */
  readonly streamingIdleMs: number;
}

export interface KubeletServerDependencies extends LogRequestDependencies {
  readonly logger: Logger;
  readonly identify: IdentifyRequest;
  readonly permit: PermitRequest;
  readonly information: NodeInformation;
  readonly localDirectories: LocalDirectories;
  /** A request was answered: how it was made, and the first part of its path. */
  readonly onRequest: (method: string, action: string, tookMs: number) => void;
}

export interface KubeletServer {
  readonly port: number;
  /** New connections are served with it. PEM; authorities that are not given stay as they are. */
  useCertificate(pair: { readonly certificate: string; readonly key: string }, change?: { readonly clientCA?: string }): void;
  close(): Promise<void>;
}

/**
 * The kubelet's API over HTTPS: logs, exec, attach, port-forward, and the node's state of its Pods. Every request but /healthz is
 * authenticated and authorized by the API server.
 */
export async function startKubeletServer(settings: KubeletServerSettings, dependencies: KubeletServerDependencies): Promise<KubeletServer> {
  const { logger, clock } = dependencies;
  const streaming = createStreamingRequests(dependencies, settings.streamingIdleMs);
  const server = https.createServer({
    ...settings.tls,
    cert: settings.certificate,
    key: settings.key,
    ca: settings.clientCA,
    requestCert: true,
    rejectUnauthorized: false,
    // A command is part of the URL; Go's servers accept as much.
    maxHeaderSize: 1024 * 1024,
  });
  server.on('request', (request, response) => {
    // A broken connection ends by itself; the promise below does not report it.
    request.on('error', () => {});
    response.on('error', () => {});
    answer(settings, dependencies, request, response).catch((error: unknown) => {
      const { status, message } = problemOf(error, (fields) => logger.warn('a request of the kubelet API failed', fields), request);
      if (response.headersSent || response.destroyed) return void response.destroy();
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
    });
  });
  const open = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    answerUpgrade(settings, dependencies, streaming, { request, socket, head }).catch((error: unknown) => {
      const report = (fields: Record<string, unknown>) => logger.warn('a streaming request of the kubelet API failed', fields);
      const { status, message } = problemOf(error, report, request);
      refuseUpgrade(clock, socket, status, message);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A connection that could not be accepted does not end the others.
  server.on('error', (error) => logger.warn('the listener of the kubelet API failed', { error }));
  const address = server.address();
  let { clientCA } = settings;
  return {
    port: typeof address === 'object' && address ? address.port : settings.port,
    useCertificate({ certificate, key }, change = {}) {
      clientCA = change.clientCA ?? clientCA;
      server.setSecureContext({ ...settings.tls, cert: certificate, key, ca: clientCA });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of open) socket.destroy();
      }),
  };
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

async function answerUpgrade(
  settings: KubeletServerSettings,
  dependencies: KubeletServerDependencies,
  streaming: StreamingRequests,
  { request, socket, head }: Upgrade,
): Promise<void> {
  const target = parseRequestTarget(request.url ?? '/');
  await authorize(settings, dependencies, request, target);
  if (socket.destroyed) return;
  await streaming.serve(request, socket, head, target);
}

/** The answer to an error; an unexpected error is also reported. */
function problemOf(error: unknown, report: (fields: Record<string, unknown>) => void, { url }: IncomingMessage) {
  if (!(error instanceof HTTPProblem)) report({ path: url?.slice(0, 1000), error });
  return { status: error instanceof HTTPProblem ? error.status : 500, message: error instanceof Error ? error.message : String(error) };
}

async function authorize(
  { nodeName }: KubeletServerSettings,
  { identify, permit }: KubeletServerDependencies,
  request: IncomingMessage,
  target: RequestTarget,
): Promise<void> {
  const socket = request.socket as TLSSocket;
  const certificate: X509Certificate | undefined = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const user = await identify({ certificate, authorization: request.headers.authorization });
  if (!user) throw new HTTPProblem(401, 'Unauthorized');
  const attributes = requestAttributes(request.method ?? '', target.path);
  if (await permit(user, attributes)) return;
  const { verb, subresources } = attributes;
  throw new HTTPProblem(
    403,
    `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}]) on node ${nodeName}`,
  );
}

async function answer(
  settings: KubeletServerSettings,
  dependencies: KubeletServerDependencies,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedMs = dependencies.clock.monotonicMs();
  const target = parseRequestTarget(request.url ?? '/');
  const { path, query } = target;
  const [action = ''] = path;
  const method = request.method ?? '';
  response.once('close', () => dependencies.onRequest(method, action, dependencies.clock.monotonicMs() - startedMs));
  await authorize(settings, dependencies, request, target);
  if (method === 'GET' || method === 'HEAD') {
    if (action === 'containerLogs') return sendLog(dependencies, path.slice(1), query, response);
    if (action === 'logs') return sendSystemLog(dependencies, path.slice(1), response);
    const document = await dependencies.information(path);
    if (document) return void response.writeHead(document.status ?? 200, { 'content-type': document.contentType }).end(document.text);
  }
  if (action === localVolumesAction) return changeLocalVolume(dependencies, method, path.slice(1), response);
  if (['exec', 'attach', 'portForward'].includes(action))
    throw new HTTPProblem(400, 'unable to upgrade: missing upgrade headers in request');
  throw new HTTPProblem(404, '404 page not found');
}

/** Changes a local volume for the control plane's provisioner. */
async function changeLocalVolume(
  { localDirectories }: KubeletServerDependencies,
  method: string,
  [name = '', ...rest]: readonly string[],
  response: ServerResponse,
): Promise<void> {
  if (rest.length > 0 || dns1123SubdomainProblems(name).length > 0) throw new HTTPProblem(400, 'that is no name of a volume');
  if (method === 'PUT') {
    const path = await localDirectories.make(name);
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ path }));
  }
  if (method !== 'DELETE') throw new HTTPProblem(405, 'a local volume is made by PUT and removed by DELETE');
  await localDirectories.remove(name).catch((error: unknown) => {
    throw error instanceof VolumeInUseError ? new HTTPProblem(409, error.message) : error;
  });
  response.writeHead(204).end();
}

async function sendLog(
  dependencies: KubeletServerDependencies,
  path: readonly string[],
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const abort = new AbortController();
  response.on('close', () => abort.abort());
  const chunks = await openContainerLog(dependencies, path, query, abort.signal);
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await send(chunks, response);
}

async function sendSystemLog({ files }: KubeletServerDependencies, path: readonly string[], response: ServerResponse): Promise<void> {
  const { contentType, content } = await openSystemLog(files, path);
  response.writeHead(200, { 'content-type': contentType });
  if (typeof content === 'string') response.end(content);
  else await send(content, response);
}

/** Sends chunks as fast as the client reads. */
async function send(chunks: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
  }
  response.end();
}
