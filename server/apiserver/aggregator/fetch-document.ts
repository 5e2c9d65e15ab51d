import { concatBytes } from '../../../api/client/read-body.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { ServiceEndpoint } from '../services/resolve-service.ts';
import type { RemoteAPIService } from './delegations.ts';
import { identityHeaders } from './identity-headers.ts';
import { endpointOf, type ProxyDependencies, referenceOf, settingsOf } from './proxy.ts';

interface FetchOptions {
  readonly user: UserInfo;
  readonly accept: string;
  readonly etag?: string | undefined;
  readonly timeoutMs: number;
  /** Larger documents are refused, since they are parsed in one piece. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Default: one of the ready endpoints, chosen at random. */
  readonly endpoint?: ServiceEndpoint;
}

export interface FetchedDocument {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Reads a document of an aggregated API server, within a time and a size. */
export async function fetchDocument(
  apiService: RemoteAPIService,
  path: string,
  options: FetchOptions,
  dependencies: ProxyDependencies,
): Promise<FetchedDocument> {
  const service = referenceOf(apiService);
  const endpoint = options.endpoint ?? endpointOf(service, dependencies);
  const call = new AbortController();
  const onAbort = () => call.abort(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  const expire = () => call.abort(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'));
  const timer = dependencies.clock.setTimer(options.timeoutMs, expire, { background: true });
  try {
    const request = {
      ...{ method: 'GET', path, query: '', signal: call.signal },
      headers: { accept: options.accept, ...(options.etag === undefined ? {} : { 'if-none-match': options.etag }) },
      ownHeaders: identityHeaders(options.user),
    };
    const answer = await dependencies.services.send({ ...service, ...settingsOf(apiService, dependencies), endpoint }, request);
    return { status: answer.status, headers: answer.headers, bytes: await readWithin(answer, options.maxBytes) };
  } catch (error) {
    throw call.signal.aborted ? call.signal.reason : error;
  } finally {
    timer.cancel();
    options.signal.removeEventListener('abort', onAbort);
    // Drops the part that was not read.
    call.abort();
  }
}

async function readWithin({ body }: APIResponse, maxBytes: number): Promise<Uint8Array> {
  if (body.kind === 'none') return new Uint8Array(0);
  if (body.kind === 'bytes') return body.bytes;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body.chunks) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the document is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return concatBytes(chunks);
}
