import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import path from 'node:path';
import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import { findInsecureSuites, parseTLSSettings, requireHTTP2Suite, type TLSFlags, type TLSSettings } from '../../api/base/tls-settings.ts';
import { type FileContent, followFiles, readFiles } from '../files/follow-files.ts';
import type { NamedCertificate, ServingCertificate } from '../serving/named-certificates.ts';
import type { ServingEndpoint } from '../serving/serve.ts';

/** A certificate and its key in files, and the names that it is for. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
}

/** kube-apiserver's flags of its serving port, by their names, and --tls-san. */
export interface ServingFlags extends TLSFlags {
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly tlsSniCertKey?: readonly CertificateFiles[];
  /** Names and addresses. */
  readonly tlsSan?: readonly string[];
  readonly http2MaxStreamsPerConnection?: number;
  readonly goawayChance?: number;
}

/** How the serving port is set up. */
export interface ServingSetup {
  readonly tls: TLSSettings;
  readonly maxStreamsPerConnection: number;
  readonly goawayChance: number;
  /** Of the certificate that is made. */
  readonly extraNames: { readonly hostNames: readonly string[]; readonly addresses: readonly string[] };
  /** The certificate of --tls-cert-file. */
  certificate(): ServingCertificate | undefined;
  named(): readonly NamedCertificate[];
  /** Calls `changed` when certificates are others, until the signal is aborted. Never rejects. */
  follow(changed: () => void, signal: AbortSignal): Promise<void>;
}

export interface ServingDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The serving setup for the flags. Rejects with an Error that describes a wrong flag. */
export async function openServing(flags: ServingFlags, { clock, logger }: ServingDependencies): Promise<ServingSetup> {
  const tls = parseTLSSettings(flags);
  requireHTTP2Suite(flags);
  for (const suite of findInsecureSuites(flags)) logger.warn(`Use of insecure cipher '${suite}' detected.`);
  const { tlsCertFile: certFile = '', tlsPrivateKeyFile: keyFile = '', tlsSan = [] } = flags;
  if ((certFile === '') !== (keyFile === ''))
    throw new Error('missing filename for serving cert: --tls-cert-file and --tls-private-key-file go together');
  const pairs = [...(certFile === '' ? [] : [{ certFile, keyFile, names: [] }]), ...(flags.tlsSniCertKey ?? [])];
  const files = pairs.flatMap((pair) => [path.resolve(pair.certFile), path.resolve(pair.keyFile)]);
  const contents = await readFiles(files);
  let certificates = readCertificates(pairs, contents);
  const isGiven = certFile !== '';
  return {
    tls,
    maxStreamsPerConnection: flags.http2MaxStreamsPerConnection ?? 0,
    goawayChance: flags.goawayChance ?? 0,
    extraNames: {
      hostNames: tlsSan.filter((name) => isIP(name) === 0),
      addresses: tlsSan.filter((name) => isIP(name) !== 0),
    },
    certificate: () => (isGiven ? certificates[0] : undefined),
    named: () => certificates.slice(isGiven ? 1 : 0),
    async follow(changed, signal) {
      if (files.length === 0) return;
      const apply = (now: readonly FileContent[]) => {
        certificates = readCertificates(pairs, now);
        changed();
        logger.info('serving certificates have been loaded anew', { files });
      };
      await followFiles(files, { clock, logger, what: 'serving certificates', known: contents, apply }, signal);
    },
  };
}

/** Throws if one of them is not a certificate, or does not belong to its key. */
function readCertificates(pairs: readonly CertificateFiles[], contents: readonly FileContent[]): NamedCertificate[] {
  return pairs.map(({ certFile, keyFile, names }, index) => {
    const [certificate, key] = [contents[2 * index], contents[2 * index + 1]];
    for (const [file, content] of [
      [certFile, certificate],
      [keyFile, key],
    ] as const)
      if (content === undefined) throw new Error(`open ${file}: no such file or directory`);
    const certificatePEM = Buffer.from(certificate ?? []).toString();
    const keyPEM = Buffer.from(key ?? []).toString();
    try {
      if (!new X509Certificate(certificatePEM).checkPrivateKey(createPrivateKey(keyPEM)))
        throw new Error('tls: private key does not match public key');
    } catch (error) {
      throw new Error(`${certFile}, ${keyFile}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    return { certificatePEM, keyPEM, names };
  });
}

/** The endpoint for the code that renews the generated certificate: the certificate of --tls-cert-file takes precedence. */
export function withGivenCertificates(
  endpoint: Pick<ServingEndpoint, 'setCertificate'>,
  setup: ServingSetup | undefined,
): Pick<ServingEndpoint, 'setCertificate'> & { refresh(): void } {
  let made: ServingCertificate | undefined;
  const setCertificate: ServingEndpoint['setCertificate'] = (certificate, change = {}) => {
    made = certificate;
    endpoint.setCertificate(setup?.certificate() ?? certificate, { ...change, ...(setup ? { named: setup.named() } : {}) });
  };
  return { setCertificate, refresh: () => void (made && setCertificate(made)) };
}

/** Whether a certificate that the server serves with is for the name or address. */
export function isServedName(certificatesPEM: readonly string[], name: string): boolean {
  return certificatesPEM.some((pem) => {
    const certificate = new X509Certificate(pem);
    return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  });
}
