import type { CertificateAuthority, CertificateRequestFacts, CertificateTerms } from '../controllers/runtime/certificate-authority.ts';
import { toDate } from '../../api/meta/time.ts';
import type { Random } from '../../api/base/random.ts';
import type { KeyPairPEM } from './certificate-spec.ts';
import { importSigningKey, loadX509, serialNumber, signingAlgorithm } from './make-certificate.ts';

/** The cluster's CA as controllers use it: reads requests and answers them with certificates. */
export function createCertificateAuthority(authority: KeyPairPEM, { random }: { readonly random: Random }): CertificateAuthority {
  return { parse: parseCertificateRequest, sign: (requestPEM, terms) => sign(requestPEM, terms, authority, random) };
}

const nameTypes = { dns: 'dnsNames', email: 'emailAddresses', ip: 'addresses', url: 'uris' } as const;

export async function parseCertificateRequest(requestPEM: string): Promise<CertificateRequestFacts> {
  const request = await read(requestPEM);
  const facts = { dnsNames: [] as string[], emailAddresses: [] as string[], addresses: [] as string[], uris: [] as string[] };
  for (const { type, value } of await alternativeNames(request)) facts[nameTypes[type]].push(value);
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    ...facts,
  };
}

type Library = Awaited<ReturnType<typeof loadX509>>;
type Request = InstanceType<Library['Pkcs10CertificateRequest']>;

async function read(requestPEM: string): Promise<Request> {
  const { Pkcs10CertificateRequest } = await loadX509();
  const block = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]*?)-----END/.exec(requestPEM)?.[1];
  if (block === undefined) throw new Error('PEM block type must be CERTIFICATE REQUEST');
  return new Pkcs10CertificateRequest(Buffer.from(block.replace(/\s/g, ''), 'base64'));
}

interface AlternativeName {
  readonly type: keyof typeof nameTypes;
  readonly value: string;
}

/** Names of other kinds (directory names, ...) are not passed on. */
async function alternativeNames(request: Request): Promise<AlternativeName[]> {
  const { SubjectAlternativeNameExtension } = await loadX509();
  const extension = request.extensions.find((one) => one instanceof SubjectAlternativeNameExtension);
  if (!(extension instanceof SubjectAlternativeNameExtension)) return [];
  return extension.names.items.flatMap(({ type, value }) => (isKnown(type) ? [{ type, value }] : []));
}

function isKnown(type: string): type is keyof typeof nameTypes {
  return type in nameTypes;
}

/** Bits of the key usage extension (RFC 5280 4.2.1.3), by the words of the certificates API. */
const keyUsages: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
};

/** In the order in which upstream's certificates list them. */
const extendedKeyUsages: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

async function sign(requestPEM: string, terms: CertificateTerms, authority: KeyPairPEM, random: Random): Promise<string> {
  const x509 = await loadX509();
  const request = await read(requestPEM);
  const isSigned = await request.verify().catch(() => false); // an algorithm that nobody knows
  if (!isSigned) throw new Error('unable to verify certificate request signature');
  const issuer = new x509.X509Certificate(authority.certificatePEM);
  const bits = terms.usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0);
  const extended = new Set(Object.entries(extendedKeyUsages).flatMap(([usage, id]) => (terms.usages.includes(usage) ? [id] : [])));
  const names = await alternativeNames(request);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(random),
    subject: request.subjectName.toJSON(),
    issuer: issuer.subjectName.toJSON(),
    notBefore: toDate(terms.notBeforeMs),
    notAfter: toDate(Math.min(terms.notAfterMs, issuer.notAfter.getTime())),
    signingAlgorithm,
    publicKey: request.publicKey,
    signingKey: await importSigningKey(authority.keyPEM),
    extensions: [
      ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
      ...(extended.size === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extended])]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
    ],
  });
  return `${certificate.toString('pem').trimEnd()}\n`;
}
