import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import tls from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../api/base/clock.ts';
import { verifyChain } from '../apiserver/authentication/verify-chain.ts';
import type { SecureTarget } from '../apiserver/services/secure-dialer.ts';
import { splitCertificates } from '../pki/pem-bundle.ts';
import { addressCheck, checkedLookup } from './local-addresses.ts';

/** Servers' certificates with the name of the authority that has signed them, often with no name at all, as programs make them. */
interface SameNamedCertificates {
  /** The target with the certificate among its authorities that was verified for them and that name, if there is one. */
  trusting(target: SecureTarget): SecureTarget;
  /** Looks at the server's certificate: the target that trusts it, if one of the target's authorities has signed it. */
  verify(target: SecureTarget, signal: AbortSignal): Promise<SecureTarget | undefined>;
}

/** Pairs of authorities and names whose certificates are kept. */
const maxKept = 256;

/**
 * OpenSSL takes a certificate with the name of its issuer for a self-signed one and does not look for an issuer; Go goes by
 * signatures. Such a certificate is verified here as Go does it and then is, beside the authorities, trusted itself: OpenSSL
 * goes on to look at names, times and usages on each connection, and trusts no other certificate of that server.
 */
export function createSameNamedCertificates({
  clock,
  connectTimeoutMs,
}: {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
}): SameNamedCertificates {
  const verified = new LRUCache<string, { readonly pem: string; readonly validToMs: number }>({ max: maxKept });
  const keyOf = ({ serverName, caPEM = '' }: SecureTarget) => `${serverName} ${caPEM}`;
  const withCertificate = (target: SecureTarget, pem: string): SecureTarget => ({ ...target, caPEM: `${target.caPEM ?? ''}\n${pem}` });
  return {
    trusting(target) {
      const kept = target.caPEM === undefined ? undefined : verified.get(keyOf(target));
      return kept && clock.nowMs() <= kept.validToMs ? withCertificate(target, kept.pem) : target;
    },
    async verify(target, signal) {
      if (target.caPEM === undefined) return undefined;
      const certificate = await serverCertificate(target, connectTimeoutMs, signal);
      const chain = certificate && chainToAuthority(certificate, target.caPEM, clock.nowMs());
      if (!chain) return undefined;
      const pem = certificate.toString();
      verified.set(keyOf(target), { pem, validToMs: chain.validToMs });
      return withCertificate(target, pem);
    },
  };
}

function chainToAuthority(certificate: X509Certificate, caPEM: string, nowMs: number): ReturnType<typeof verifyChain> {
  try {
    const authorities = splitCertificates(caPEM).map((pem) => new X509Certificate(pem));
    return verifyChain(certificate, [], authorities, nowMs, 'server');
  } catch {
    return undefined; // not to be read as certificates
  }
}

/** The certificate that a server shows; nothing is sent to it. */
function serverCertificate(target: SecureTarget, timeoutMs: number, signal: AbortSignal): Promise<X509Certificate | undefined> {
  const { host, port, serverName, refuseLocal = false } = target;
  const check = addressCheck({ refuseLocal });
  if (isIP(host) !== 0) check?.(host);
  return new Promise((resolve) => {
    const socket = tls.connect({
      ...{ host, port, rejectUnauthorized: false, servername: isIP(serverName) === 0 ? serverName : '', timeout: timeoutMs },
      ...(check ? { lookup: checkedLookup(check) } : {}),
    });
    const finish = () => {
      signal.removeEventListener('abort', finish);
      resolve(socket.getPeerX509Certificate());
      socket.destroy();
    };
    signal.addEventListener('abort', finish);
    for (const event of ['secureConnect', 'timeout', 'error', 'close']) socket.once(event, finish);
    if (signal.aborted) finish();
  });
}
