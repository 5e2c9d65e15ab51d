/** The certificates of a PEM text, in order, without the text between them. */
export function splitCertificates(pem: string): string[] {
  return splitPEM(pem, /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
}

/** The first of several certificates, which in a bundle of authorities is the one that signs. */
export function firstCertificate(pem: string): string {
  return splitCertificates(pem)[0] ?? pem;
}

/** The public keys of a PEM text, in order. */
export function splitPublicKeys(pem: string): string[] {
  return splitPEM(pem, /-----BEGIN (?:RSA )?PUBLIC KEY-----[\s\S]*?-----END (?:RSA )?PUBLIC KEY-----/g);
}

/** Joins PEM blocks into one text, each block once. */
export function joinPEM(blocks: readonly string[]): string {
  return [...new Set(blocks.map((block) => `${block.trim()}\n`))].join('');
}

function splitPEM(pem: string, pattern: RegExp): string[] {
  return [...pem.matchAll(pattern)].map(([block]) => `${block}\n`);
}
