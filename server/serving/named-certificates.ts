import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { dns1123SubdomainProblems } from '../../api/validation/names.ts';

export interface ServingCertificate {
  readonly keyPEM: string;
  /** The server's certificate, followed by intermediate certificates if there are any. */
  readonly certificatePEM: string;
}

/** A certificate for clients that ask for one of its names. */
export interface NamedCertificate extends ServingCertificate {
  /** Names, `*.` for any first label, and addresses that clients connect to. Empty: the names in the certificate. */
  readonly names: readonly string[];
}

export interface CertificateChoice<T> {
  /** The choice for a client that sends the name (SNI). */
  ofName(name: string): T;
  /** For a client that sends no name, by the address that it has connected to; undefined: the default. */
  ofAddress(address: string): T | undefined;
}

interface Made<T> {
  readonly certificate: X509Certificate;
  readonly made: T;
}

/**
 * Chooses a client's certificate among several by Go's and upstream's rules: an exact name, then a wildcard, then any certificate that is
 * valid for the name, then the default. Given names take precedence over names in certificates, and earlier certificates over later ones.
 */
export function chooseCertificate<T>(
  usual: ServingCertificate,
  named: readonly NamedCertificate[],
  make: (certificate: ServingCertificate) => T,
): CertificateChoice<T> {
  const ready = (one: ServingCertificate): Made<T> => ({ certificate: new X509Certificate(one.certificatePEM), made: make(one) });
  const first = ready(usual);
  const others = named.map((one) => ({ ...ready(one), names: one.names }));
  const byName = new Map<string, T>();
  for (const { certificate, made, names } of others.toReversed())
    if (names.length === 0) for (const name of namesOf(certificate)) byName.set(name, made);
  for (const { made, names } of others.toReversed()) for (const name of names) byName.set(name, made);
  // The name comes from the client: OpenSSL takes a name that begins with a dot for a suffix, and throws for some names.
  const fitting = (name: string) =>
    isHostName(name) ? [first, ...others].find(({ certificate }) => certificate.checkHost(name) !== undefined) : undefined;
  return {
    ofName(sent) {
      const name = sent.toLowerCase().replace(/\.+$/, '');
      const wildcard = `*${name.slice(name.indexOf('.'))}`;
      return byName.get(name) ?? (name.includes('.') ? byName.get(wildcard) : undefined) ?? fitting(name)?.made ?? first.made;
    },
    ofAddress: (address) => byName.get(address.replace(/^::ffff:(?=\d+\.)/i, '')),
  };
}

function isHostName(name: string): boolean {
  return name.length <= 253 && dns1123SubdomainProblems(name).length === 0;
}

/** Names that a certificate may be chosen by; addresses in it are none. */
function namesOf({ subject, subjectAltName = '' }: X509Certificate): string[] {
  const commonName = /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? '';
  const isName = isIP(commonName) === 0 && (commonName === '*' || dns1123SubdomainProblems(commonName.replace(/^\*\./, '')).length === 0);
  const alternatives = [...subjectAltName.matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = '']) => name);
  return [...(isName ? [commonName] : []), ...alternatives];
}
