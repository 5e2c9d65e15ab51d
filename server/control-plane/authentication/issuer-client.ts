import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import type { Clock } from '../../../api/base/clock.ts';
import { concatBytes } from '../../../api/client/read-body.ts';
import type { IssuerAnswer, IssuerClient } from '../../apiserver/authentication/jwt/issuer-client.ts';

/** Redirects and the reading of the answer included. */
const timeoutMs = 30_000;
const maxBodyBytes = 1024 * 1024;
const maxRedirects = 10;

/**
 * Fetches documents of an issuer over HTTPS, from a server whose certificate one of the authorities has signed (PEM; undefined: those of
 * the machine). Redirects are followed, to HTTPS only.
 */
export function createIssuerClient(authoritiesPEM: string | undefined, clock: Clock): IssuerClient {
  const ca = authoritiesPEM ?? machineAuthorities();
  return {
    async get(url, { bearerToken, signal } = {}) {
      const limit = new AbortController();
      const timer = clock.setTimer(timeoutMs, () => limit.abort(new Error(`Get ${JSON.stringify(url)}: context deadline exceeded`)), {
        background: true,
      });
      const onAbort = () => limit.abort(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        return await follow(new URL(url), bearerToken, { ca, signal: limit.signal });
      } catch (error) {
        if (limit.signal.aborted) throw limit.signal.reason;
        throw new Error(`Get ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      } finally {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      }
    },
  };
}

/** The authorities of the operating system, as Go trusts them; undefined where there are none: those that come with Node. */
function machineAuthorities(): readonly string[] | undefined {
  const system = tls.getCACertificates('system');
  return system.length > 0 ? system : undefined;
}

interface FetchOptions {
  readonly ca: string | readonly string[] | undefined;
  readonly signal: AbortSignal;
}

async function follow(start: URL, bearerToken: string | undefined, options: FetchOptions): Promise<IssuerAnswer> {
  let url = start;
  for (let redirects = 0; ; redirects++) {
    if (url.protocol !== 'https:')
      throw new Error(`unsupported protocol scheme ${JSON.stringify(url.protocol.replace(/:$/, ''))}, it has to be https`);
    // A credential is for the host that it was given for, as in Go.
    const token = url.hostname === start.hostname ? bearerToken : undefined;
    const incoming = await send(url, token, options);
    const location = redirectOf(incoming);
    if (location === undefined) {
      const body = await readBounded(incoming);
      const { statusCode: status = 0, statusMessage: statusText = '', headers } = incoming;
      return { status, statusText, contentType: headers['content-type'] ?? '', body };
    }
    incoming.destroy();
    if (redirects >= maxRedirects) throw new Error(`stopped after ${maxRedirects} redirects`);
    if (!URL.canParse(location, url)) throw new Error(`failed to parse Location header ${JSON.stringify(location)}`);
    url = new URL(location, url);
  }
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage): string | undefined {
  return [301, 302, 303, 307, 308].includes(statusCode) ? headers.location : undefined;
}

function send(url: URL, bearerToken: string | undefined, { ca, signal }: FetchOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = https.request(url, {
      agent: false,
      headers: {
        accept: 'application/json',
        'user-agent': 'kubets',
        ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
      },
      signal,
      ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
    });
    outgoing.on('error', reject);
    outgoing.once('response', resolve);
    outgoing.end();
  });
}

async function readBounded(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > maxBodyBytes) throw new Error(`the answer is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return concatBytes(chunks);
}
