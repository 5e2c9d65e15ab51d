import { webcrypto } from 'node:crypto';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import { decodeBase64, encodeBase64 } from '../../../api/base/base64.ts';
import type { Client } from '../../../api/client/client.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { certificateSigningRequests } from '../../../api/resources/certificates/v1/certificate-signing-request.ts';
import type { CertificateSigningRequest } from '../../../api/types/certificates-v1.ts';

/** PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateWish {
  readonly nodeName: string;
  readonly signerName: 'kubernetes.io/kube-apiserver-client-kubelet' | 'kubernetes.io/kubelet-serving';
  /** For a serving certificate. */
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Time until an undecided request is made anew. */
const timeoutMs = 15 * 60_000;
const pollMs = 200;

/**
 * Requests a certificate for this node: makes a key and a certificate signing request, and waits until it is approved and signed. Rejects
 * if it was denied or has failed.
 */
export async function requestCertificate(
  wish: CertificateWish,
  { client, clock }: { readonly client: Client; readonly clock: Clock },
  signal: AbortSignal,
): Promise<IssuedCertificate> {
  const { pem, key } = await makeRequest(wish);
  const isServing = wish.signerName === 'kubernetes.io/kubelet-serving';
  const created = await client(certificateSigningRequests).create({
    metadata: { generateName: 'csr-' },
    spec: {
      request: encodeBase64(new TextEncoder().encode(pem)),
      signerName: wish.signerName,
      usages: ['digital signature', isServing ? 'server auth' : 'client auth'],
    },
  });
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const certificate = certificateOf(await client(certificateSigningRequests).get(keyOf(created)));
    if (certificate !== undefined) return { certificate, key };
    if (clock.monotonicMs() > deadlineMs) throw new Error(`certificate signing request ${created.metadata.name} was not answered`);
    await sleep(clock, pollMs, signal);
  }
}

function certificateOf({ metadata, status }: CertificateSigningRequest): string | undefined {
  for (const { type, reason, message } of status?.conditions ?? []) {
    if (type === 'Denied' || type === 'Failed')
      throw new Error(`certificate signing request ${metadata.name} ${type.toLowerCase()}: ${reason}: ${message}`);
  }
  return status?.certificate ? new TextDecoder().decode(decodeBase64(status.certificate)) : undefined;
}

async function makeRequest({ nodeName, dnsNames = [], addresses = [] }: CertificateWish): Promise<{ pem: string; key: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: [`system:node:${nodeName}`] }],
    signingAlgorithm: algorithm,
    keys,
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { pem: `${request.toString('pem')}\n`, key: `${key}\n` };
}
