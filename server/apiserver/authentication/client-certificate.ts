import { hash, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../api/base/clock.ts';
import type { Peer } from '../../../api/client/transport.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { commonNameType, organizationType, readDistinguishedName } from '../../../api/semantics/certificates/distinguished-name.ts';
import { readCertificateSubject } from '../../../api/serialization/certificate-subject.ts';
import type { Authenticator } from './authenticator.ts';
import { kubeletClientName } from '../../pki/certificate-spec.ts';
import { splitCertificates } from '../../pki/pem-bundle.ts';
import { verifyChain } from './verify-chain.ts';

/** The facts of a certificate about its holder, after it was verified. */
interface VerifiedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly fingerprint: string;
  /** The user that it names as its holder. */
  readonly user: UserInfo;
  readonly validFromMs: number;
  readonly validToMs: number;
}

export type VerifyCertificate = (peer: Pick<Peer, 'certificate' | 'intermediates'>) => VerifiedCertificate | undefined;

/** An attribute of the subject: the UID of the user. */
const uidType = '1.3.6.1.4.1.57683.2';
/** The most clients whose intermediate certificates are remembered. */
const maxClients = 1000;
/** How long a certificate is not looked at again on a connection: that takes many checks of signatures. */
const refusedForMs = 10_000;

/**
 * The authorities as PEM, each text with one or several certificates. A function is called for each request; another array means that
 * authorities were added or removed, and verified certificates are verified again, on open connections too.
 */
export type Authorities = readonly string[] | (() => readonly string[]);

/**
 * Verifies client certificates against authorities as Go does. Results are kept by the identity of the certificate's bytes, of which there
 * is one per connection; only the validity period is checked each time.
 */
export function createCertificateVerifier(authoritiesPEM: Authorities, clock: Clock): VerifyCertificate {
  const source = typeof authoritiesPEM === 'function' ? authoritiesPEM : () => authoritiesPEM;
  let texts: readonly string[] | undefined;
  let authorities: readonly X509Certificate[] = [];
  let known = new WeakMap<Uint8Array, VerifiedCertificate>();
  let refused = new WeakMap<Uint8Array, number>();
  const refresh = () => {
    const now = source();
    if (now === texts) return;
    texts = now;
    authorities = now.flatMap(splitCertificates).map((pem) => new X509Certificate(pem));
    [known, refused] = [new WeakMap(), new WeakMap()];
  };
  refresh();
  // A resumed TLS session brings the client's own certificate only.
  const shown = new LRUCache<string, readonly Uint8Array[]>({ max: maxClients });
  return ({ certificate, intermediates = [] }) => {
    if (certificate === undefined) return undefined;
    refresh();
    const nowMs = clock.nowMs();
    const kept = known.get(certificate);
    if (kept && kept.validFromMs <= nowMs && nowMs <= kept.validToMs) return kept;
    if (Math.abs(nowMs - (refused.get(certificate) ?? -refusedForMs)) < refusedForMs) return undefined;
    const fingerprint = hash('sha256', certificate, 'hex');
    const between = intermediates.length > 0 ? intermediates : (shown.get(fingerprint) ?? []);
    const verified = verify(certificate, between, authorities, { fingerprint, nowMs });
    if (!verified) {
      refused.set(certificate, nowMs);
      return undefined;
    }
    known.set(certificate, verified);
    if (intermediates.length > 0) shown.set(fingerprint, intermediates);
    return verified;
  };
}

function verify(
  der: Uint8Array,
  intermediates: readonly Uint8Array[],
  authorities: readonly X509Certificate[],
  { fingerprint, nowMs }: { readonly fingerprint: string; readonly nowMs: number },
): VerifiedCertificate | undefined {
  try {
    const between = intermediates.map((one) => new X509Certificate(one));
    const chain = verifyChain(new X509Certificate(der), between, authorities, nowMs);
    return chain && { ...chain, ...holderOf(der, fingerprint) };
  } catch {
    return undefined; // not to be read as a certificate
  }
}

function holderOf(der: Uint8Array, fingerprint: string): Omit<VerifiedCertificate, 'validFromMs' | 'validToMs'> {
  const attributes = readDistinguishedName(readCertificateSubject(der));
  // The last of several counts, as in Go.
  const commonName = attributes.findLast(({ type }) => type === commonNameType)?.value ?? '';
  const organizations = attributes.filter(({ type }) => type === organizationType).map(({ value }) => value);
  const uids = attributes.filter(({ type }) => type === uidType).map(({ value }) => value);
  if (uids.length > 1) throw new Error(`expected 1 UID, but found multiple: [${uids.join(' ')}]`);
  const [uid] = uids;
  if (uid === '') throw new Error('UID cannot be an empty string');
  const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] };
  return {
    commonName,
    organizations,
    fingerprint,
    user: { name: commonName, ...(uid === undefined ? {} : { uid }), groups: organizations, extra },
  };
}

/**
 * Users by client certificate: the common name is the user, organizations are groups. A certificate that does not verify is
 * refused, and so is one without a common name: a kube-apiserver with an authority of a front proxy, which kubets always has,
 * answers it 401, too. The certificate by which API servers call kubelets is refused as well: it comes here only from a node
 * that leads its port to an API server, so that users who may call the node would act with the rights of the certificate.
 */
export function clientCertificateAuthenticator(verifyCertificate: VerifyCertificate): Authenticator {
  return {
    authenticate({ peer }): UserInfo | undefined {
      if (peer?.certificate === undefined) return undefined;
      const verified = verifyCertificate(peer);
      if (!verified || verified.commonName === '' || verified.commonName === kubeletClientName) throw unauthorized('Unauthorized');
      return verified.user;
    },
  };
}
