import { X509Certificate } from 'node:crypto';
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import tls, { type PeerCertificate } from 'node:tls';
import type { Clock } from '../../api/base/clock.ts';
import type { APIResponse } from '../../api/client/transport.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { SecureDialer, SecureRequest, SecureTarget } from '../apiserver/services/secure-dialer.ts';
import { DialError, exchange, interpretDialFailure, outgoingHeaders } from './exchange.ts';
import { encodeValue } from './headers.ts';
import { addressCheck, checkedLookup } from './local-addresses.ts';
import { createSameNamedCertificates } from './same-named-certificates.ts';

interface SecureDialerOptions {
  readonly clock: Clock;
  /** How long a connection may take to come about, TLS included. Default 30 s. */
  readonly connectTimeoutMs?: number;
}

export interface ClosableSecureDialer extends SecureDialer {
  /** Closes idle connections. */
  close(): void;
}

/** The most concurrent requests to one address with the same certificates; further ones wait. */
const maxConnections = 1024;
/** The idle connections that are kept for one address, and for how long. */
const maxIdleConnections = 8;
const idleMs = 60_000;

/** Makes HTTPS requests to webhooks and to aggregated API servers. */
export function createSecureDialer({ clock, connectTimeoutMs = 30_000 }: SecureDialerOptions): ClosableSecureDialer {
  // The agent keeps connections of different certificates and names apart.
  const agent = new https.Agent({
    ...{ keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxIdleConnections, timeout: idleMs },
    checkServerIdentity: checkName,
  });
  const sameNamed = createSameNamedCertificates({ clock, connectTimeoutMs });
  const attempt = async (target: SecureTarget, request: SecureRequest, isFirst: boolean): Promise<APIResponse | 'stale connection'> => {
    const isUpgrade = request.canUpgrade === true && request.headers['upgrade'] !== undefined;
    const check = addressCheck({ refuseLocal: target.refuseLocal });
    if (isIP(target.host) !== 0) check?.(target.host);
    const place = { scheme: 'https', host: target.host, port: target.port } as const;
    const headers: OutgoingHttpHeaders = { ...outgoingHeaders(place, request, isUpgrade) };
    for (const [name, value] of Object.entries(request.ownHeaders ?? {}))
      headers[name] = typeof value === 'string' ? encodeValue(value) : value.map(encodeValue);
    let outgoing: ClientRequest | undefined;
    try {
      outgoing = https.request({
        ...{ host: target.host, port: target.port, method: request.method, headers, agent: isFirst && agent },
        path: request.query === '' ? request.path : `${request.path}?${request.query}`,
        timeout: connectTimeoutMs,
        signal: request.signal,
        ...tlsOptions(target),
        ...(check ? { lookup: checkedLookup(check) } : {}),
      });
      return await exchange(place, outgoing, request, isUpgrade, clock);
    } catch (error) {
      if (request.signal.aborted) throw error;
      const failure = interpretDialFailure(place, error as Error, request.signal);
      if (isFirst && outgoing?.reusedSocket && failure.message === 'EOF' && !request.incoming) return 'stale connection';
      throw describeCertificateFailure(failure, clock);
    }
  };
  const send = async (target: SecureTarget, request: SecureRequest): Promise<APIResponse> => {
    const answer = await attempt(target, request, true);
    // The other side may close an idle connection just when it is used again: a new connection shows whether the server is there.
    const second = answer === 'stale connection' ? await attempt(target, request, false) : answer;
    if (second === 'stale connection') throw new DialError('EOF');
    return second;
  };
  return {
    async send(target, request) {
      try {
        return await send(sameNamed.trusting(target), request);
      } catch (error) {
        if (!isTakenForSelfSigned(error) || request.incoming) throw error;
        const trusting = await sameNamed.verify(target, request.signal);
        if (!trusting) throw error;
        return await send(trusting, request);
      }
    },
    close: () => agent.destroy(),
  };
}

/** Whether the server's certificate has its issuer's name, so that OpenSSL looks for no other issuer. */
function isTakenForSelfSigned(error: unknown): boolean {
  return error instanceof DialError && (error.cause as { code?: string } | undefined)?.code === 'DEPTH_ZERO_SELF_SIGNED_CERT';
}

function tlsOptions(target: SecureTarget): https.RequestOptions {
  const { caPEM, insecureSkipTLSVerify = false, clientCertificate } = target;
  return {
    ...(caPEM === undefined || insecureSkipTLSVerify ? {} : { ca: readAuthorities(caPEM) }),
    ...(clientCertificate ? { cert: clientCertificate.certificatePEM, key: clientCertificate.keyPEM } : {}),
    rejectUnauthorized: !insecureSkipTLSVerify,
    // Each certificate of a bundle is trusted, as in Go: it may be one that another authority has signed, or the server's own.
    allowPartialTrustChain: true,
    servername: isIP(target.serverName) === 0 ? target.serverName : '',
  };
}

function readAuthorities(caPEM: string): string {
  // An empty bundle would mean the machine's authorities.
  if (!/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(caPEM))
    throw new DialError('unable to load root certificates: unable to parse bytes as PEM block');
  return caPEM;
}

/** A certificate is for the names that it lists; its common name counts for nothing, as in Go. */
function checkName(name: string, certificate: PeerCertificate): Error | undefined {
  if (certificate.subjectaltname !== undefined) return tls.checkServerIdentity(name, certificate);
  const reason = certificate.subject.CN
    ? 'relies on legacy Common Name field, use SANs instead'
    : `is not valid for any names, but wanted to match ${name}`;
  return new DialError(`tls: failed to verify certificate: x509: certificate ${reason}`);
}

const unknownAuthority: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Failures to verify the server's certificate in the words of Go. */
function describeCertificateFailure(error: Error, clock: Clock): Error {
  if (!(error instanceof DialError)) return error;
  const { code = '', host, cert } = (error.cause ?? {}) as { code?: string; host?: string; cert?: PeerCertificate };
  const say = (text: string) => new DialError(`tls: failed to verify certificate: x509: ${text}`, error.cause);
  if (unknownAuthority.has(code)) return say('certificate signed by unknown authority');
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return say(`certificate has expired or is not yet valid: current time ${formatTime(clock.nowMs())}`);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' && cert) return say(describeNames(host ?? '', cert));
  if (code.startsWith('ERR_OSSL')) return new DialError(`unable to load root certificates: ${error.message}`, error.cause);
  return error;
}

function describeNames(wanted: string, certificate: PeerCertificate): string {
  const names = (new X509Certificate(certificate.raw).subjectAltName ?? '')
    .split(', ')
    .flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
  return names.length === 0
    ? `certificate is not valid for any names, but wanted to match ${wanted}`
    : `certificate is valid for ${names.join(', ')}, not ${wanted}`;
}
