import { createPrivateKey, X509Certificate } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import { defaultFrontProxyTrust, defaultRequestHeaders, type FrontProxyTrust } from '../apiserver/authentication/request-headers.ts';
import { type FileContent, followFiles, readFiles } from '../files/follow-files.ts';
import { mapWatched, type WatchedValue } from '../../api/base/watched-value.ts';
import type { ClusterPKI } from '../pki/ensure-cluster-pki.ts';
import { joinPEM, splitCertificates } from '../pki/pem-bundle.ts';

/** kube-apiserver's flags about front proxies: those that it believes, and itself as one. */
export interface FrontProxyFlags {
  readonly proxyClientCertFile?: string;
  readonly proxyClientKeyFile?: string;
  readonly requestheaderClientCaFile?: string;
  readonly requestheaderAllowedNames?: readonly string[];
  readonly requestheaderUsernameHeaders?: readonly string[];
  readonly requestheaderUidHeaders?: readonly string[];
  readonly requestheaderGroupHeaders?: readonly string[];
  readonly requestheaderExtraHeadersPrefix?: readonly string[];
  readonly enableAggregatorRouting?: boolean;
}

interface ClientCertificate {
  readonly certificatePEM: string;
  readonly keyPEM: string;
}

/** The front proxies that the flags speak of. */
export interface FrontProxySetup {
  readonly trust: FrontProxyTrust;
  /** Whether calls of Services go to their endpoints, and not to their ClusterIPs. */
  readonly routesToEndpoints: boolean;
  /** The authorities of --requestheader-client-ca-file; undefined: the one that is made. */
  authoritiesPEM(): readonly string[] | undefined;
  /** The certificate of --proxy-client-cert-file; undefined: the one that is made. */
  clientCertificate(): ClientCertificate | undefined;
  /** Calls `changed` when the authorities are others, until the signal is aborted. Never rejects. */
  followAuthorities(changed: () => void, signal: AbortSignal): Promise<void>;
  /** Takes over another certificate, until the signal is aborted. Absent: it is from no file. Never rejects. */
  followClientCertificate?(signal: AbortSignal): Promise<void>;
}

/** Front proxies with what the cluster's own keys supply where the flags name no files. */
export interface FrontProxy extends Omit<FrontProxySetup, 'authoritiesPEM' | 'clientCertificate'> {
  authoritiesPEM(): readonly string[];
  clientCertificate(): ClientCertificate;
  /** The facts by which extension API servers believe this server. */
  published(): { readonly frontProxyCAPEM: string; readonly frontProxy: FrontProxyTrust };
}

const ownName = 'front-proxy-client';

export function createFrontProxy(setup: FrontProxySetup | undefined, pki: WatchedValue<ClusterPKI>): FrontProxy {
  const { trust = defaultFrontProxyTrust } = setup ?? {};
  const own = () => pki.get().frontProxyCA.certificatePEM;
  const ownAuthorities = mapWatched(pki, ({ frontProxyCA }) => [frontProxyCA.certificatePEM]);
  return {
    trust,
    routesToEndpoints: setup?.routesToEndpoints ?? true,
    authoritiesPEM: () => setup?.authoritiesPEM() ?? ownAuthorities.get(),
    clientCertificate: () => setup?.clientCertificate() ?? pki.get().frontProxyClient,
    followAuthorities: async (changed, signal) => setup?.followAuthorities(changed, signal),
    ...(setup?.followClientCertificate ? { followClientCertificate: setup.followClientCertificate } : {}),
    published() {
      const given = setup?.authoritiesPEM();
      // The certificate that this server shows must be believed, too, where it is the one that was made.
      const isOwn = setup?.clientCertificate() === undefined;
      const { allowedNames, headers } = trust;
      const names = isOwn && allowedNames.length > 0 ? [...new Set([...allowedNames, ownName])] : allowedNames;
      const frontProxyCAPEM = given === undefined ? own() : joinPEM([...given, ...(isOwn ? splitCertificates(own()) : [])]);
      return { frontProxyCAPEM, frontProxy: { headers, allowedNames: names } };
    },
  };
}

/** The setup that the flags ask for. Rejects with what is wrong with them. */
export async function openFrontProxy(
  flags: FrontProxyFlags,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<FrontProxySetup> {
  const { proxyClientCertFile = '', proxyClientKeyFile = '', requestheaderClientCaFile = '' } = flags;
  if ((proxyClientCertFile === '') !== (proxyClientKeyFile === ''))
    throw new Error('--proxy-client-cert-file and --proxy-client-key-file go together');
  const caFiles = requestheaderClientCaFile === '' ? [] : [path.resolve(requestheaderClientCaFile)];
  const pairFiles = proxyClientCertFile === '' ? [] : [path.resolve(proxyClientCertFile), path.resolve(proxyClientKeyFile)];
  const [caContents, pairContents] = await Promise.all([readFiles(caFiles), readFiles(pairFiles)]);
  let authorities = caFiles.length === 0 ? undefined : readAuthorities(caFiles, caContents);
  let pair = pairFiles.length === 0 ? undefined : readPair(pairFiles, pairContents);
  return {
    trust: trustOf(flags, authorities !== undefined),
    routesToEndpoints: flags.enableAggregatorRouting ?? true,
    authoritiesPEM: () => authorities,
    clientCertificate: () => pair,
    async followAuthorities(changed, signal) {
      if (caFiles.length === 0) return;
      const apply = (now: readonly FileContent[]) => {
        authorities = readAuthorities(caFiles, now);
        changed();
      };
      await followFiles(caFiles, { clock, logger, what: 'authorities of front proxies', known: caContents, apply }, signal);
    },
    ...(pair === undefined
      ? {}
      : {
          followClientCertificate(signal: AbortSignal) {
            const apply = (now: readonly FileContent[]) => {
              pair = readPair(pairFiles, now);
            };
            return followFiles(pairFiles, { clock, logger, what: 'certificate of the proxy', known: pairContents, apply }, signal);
          },
        }),
  };
}

function trustOf(flags: FrontProxyFlags, hasAuthorities: boolean): FrontProxyTrust {
  const listOf = (flag: string, given: readonly string[] | undefined, otherwise: readonly string[]) => {
    const list = given ?? otherwise;
    if (list.some((name) => name.trim() === '')) throw new Error(`empty value in "${flag}"`);
    return list;
  };
  const { usernames, uids, groups, extraPrefixes } = defaultRequestHeaders;
  return {
    headers: {
      usernames: listOf('requestheader-username-headers', flags.requestheaderUsernameHeaders, usernames),
      uids: listOf('requestheader-uid-headers', flags.requestheaderUidHeaders, uids),
      groups: listOf('requestheader-group-headers', flags.requestheaderGroupHeaders, groups),
      extraPrefixes: listOf('requestheader-extra-headers-prefix', flags.requestheaderExtraHeadersPrefix, extraPrefixes),
    },
    allowedNames: listOf('requestheader-allowed-names', flags.requestheaderAllowedNames, hasAuthorities ? [] : [ownName]),
  };
}

function readAuthorities([file = '']: readonly string[], [content]: readonly FileContent[]): readonly string[] {
  if (content === undefined) throw new Error(`--requestheader-client-ca-file: open ${file}: no such file or directory`);
  const certificates = splitCertificates(Buffer.from(content).toString());
  if (certificates.length === 0) throw new Error(`--requestheader-client-ca-file: ${file} holds no certificate`);
  for (const certificate of certificates) describing(file, () => new X509Certificate(certificate));
  return certificates;
}

function readPair([certFile = '', keyFile = '']: readonly string[], [certificate, key]: readonly FileContent[]): ClientCertificate {
  if (certificate === undefined) throw new Error(`--proxy-client-cert-file: open ${certFile}: no such file or directory`);
  if (key === undefined) throw new Error(`--proxy-client-key-file: open ${keyFile}: no such file or directory`);
  const pair = { certificatePEM: Buffer.from(certificate).toString(), keyPEM: Buffer.from(key).toString() };
  describing(`${certFile}, ${keyFile}`, () => {
    if (!new X509Certificate(pair.certificatePEM).checkPrivateKey(createPrivateKey(pair.keyPEM)))
      throw new Error('tls: private key does not match public key');
  });
  return pair;
}

function describing(files: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${files}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
