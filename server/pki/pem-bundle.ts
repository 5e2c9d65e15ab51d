/** The certificates of a PEM text, in order; what stands between them is left out. */
export function splitCertificates(pem: string): string[] {
  return splitPEM(pem, /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
}

/** The first of several certificates. Of a bundle of authorities it is the one that signs. */
export function firstCertificate(pem: string): string {
  return splitCertificates(pem)[0] ?? pem;
}

/** The public keys of a PEM text, in order. */
export function splitPublicKeys(pem: string): string[] {
  return splitPEM(pem, /-----BEGIN (?:RSA )?PUBLIC KEY-----[\s\S]*?-----END (?:RSA )?PUBLIC KEY-----/g);
}

/** One text of several blocks, each once. */
export function joinPEM(blocks: readonly string[]): string {
  return [...new Set(blocks.map((block) => `${block.trim()}\n`))].join('');
}

function splitPEM(pem: string, pattern: RegExp): string[] {
  return [...pem.matchAll(pattern)].map(([block]) => `${block}\n`);
}
