import { quote } from './quote.ts';

/** How a TLS server is set up, in OpenSSL's words. */
export interface TLSSettings {
  readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string;
  readonly honorCipherOrder: true;
  /** Absent: OpenSSL's. */
  readonly ecdhCurve?: string;
}

/** kube-apiserver's and kubelet's flags of TLS, by their names. */
export interface TLSFlags {
  readonly tlsCipherSuites?: readonly string[];
  readonly tlsMinVersion?: string;
  /** Numbers of Go's CurveIDs, which are those of IANA. */
  readonly tlsCurvePreferences?: readonly number[];
}

/** Suites of TLS 1.3 are always on, as in Go. */
const tls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

interface Suite {
  /** OpenSSL's name; '' where the OpenSSL of Node does not have it. */
  readonly openSSL: string;
  readonly isInsecure?: true;
  /** Whether Go offers the cipher suite by default. */
  readonly isDefault?: true;
}

/** Suites up to TLS 1.2 by Go's names, in the order in which Go prefers them, whatever the order of the flag. */
const suites: ReadonlyMap<string, Suite> = new Map<string, Suite>([
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', { openSSL: 'ECDHE-ECDSA-AES128-GCM-SHA256', isDefault: true }],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', { openSSL: 'ECDHE-RSA-AES128-GCM-SHA256', isDefault: true }],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', { openSSL: 'ECDHE-ECDSA-AES256-GCM-SHA384', isDefault: true }],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', { openSSL: 'ECDHE-RSA-AES256-GCM-SHA384', isDefault: true }],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', { openSSL: 'ECDHE-ECDSA-CHACHA20-POLY1305', isDefault: true }],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305', { openSSL: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', { openSSL: 'ECDHE-RSA-CHACHA20-POLY1305', isDefault: true }],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305', { openSSL: 'ECDHE-RSA-CHACHA20-POLY1305' }],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', { openSSL: 'ECDHE-ECDSA-AES128-SHA', isDefault: true }],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', { openSSL: 'ECDHE-RSA-AES128-SHA', isDefault: true }],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', { openSSL: 'ECDHE-ECDSA-AES256-SHA', isDefault: true }],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', { openSSL: 'ECDHE-RSA-AES256-SHA', isDefault: true }],
  ['TLS_RSA_WITH_AES_128_GCM_SHA256', { openSSL: 'AES128-GCM-SHA256', isInsecure: true }],
  ['TLS_RSA_WITH_AES_256_GCM_SHA384', { openSSL: 'AES256-GCM-SHA384', isInsecure: true }],
  ['TLS_RSA_WITH_AES_128_CBC_SHA', { openSSL: 'AES128-SHA', isInsecure: true }],
  ['TLS_RSA_WITH_AES_256_CBC_SHA', { openSSL: 'AES256-SHA', isInsecure: true }],
  ['TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA', { openSSL: '', isInsecure: true }],
  ['TLS_RSA_WITH_3DES_EDE_CBC_SHA', { openSSL: '', isInsecure: true }],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', { openSSL: 'ECDHE-ECDSA-AES128-SHA256', isInsecure: true }],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', { openSSL: 'ECDHE-RSA-AES128-SHA256', isInsecure: true }],
  ['TLS_RSA_WITH_AES_128_CBC_SHA256', { openSSL: 'AES128-SHA256', isInsecure: true }],
  ['TLS_ECDHE_ECDSA_WITH_RC4_128_SHA', { openSSL: '', isInsecure: true }],
  ['TLS_ECDHE_RSA_WITH_RC4_128_SHA', { openSSL: '', isInsecure: true }],
  ['TLS_RSA_WITH_RC4_128_SHA', { openSSL: '', isInsecure: true }],
]);

const versions: ReadonlyMap<string, TLSSettings['minVersion']> = new Map([
  ['VersionTLS10', 'TLSv1'],
  ['VersionTLS11', 'TLSv1.1'],
  ['VersionTLS12', 'TLSv1.2'],
  ['VersionTLS13', 'TLSv1.3'],
]);

const curves: ReadonlyMap<number, string> = new Map([
  [23, 'P-256'],
  [24, 'P-384'],
  [25, 'P-521'],
  [29, 'X25519'],
  [4587, 'SecP256r1MLKEM768'],
  [4588, 'X25519MLKEM768'],
  [4589, 'SecP384r1MLKEM1024'],
]);

/** Names that the flag takes, as help texts list them. */
export const preferredSuites: readonly string[] = suiteNames(false);
export const insecureSuites: readonly string[] = suiteNames(true);
export const tlsVersions: readonly string[] = [...versions.keys()];

function suiteNames(isInsecure: boolean): string[] {
  const names = [...suites].flatMap(([name, suite]) => ((suite.isInsecure ?? false) === isInsecure && suite.openSSL !== '' ? [name] : []));
  return [...names, ...(isInsecure ? [] : tls13)].toSorted();
}

/** Suites of these that are known to be weak. */
export function findInsecureSuites({ tlsCipherSuites = [] }: TLSFlags): readonly string[] {
  return tlsCipherSuites.filter((name) => suites.get(name)?.isInsecure === true);
}

/** The settings that the flags ask for, with Go's defaults where they say nothing. Throws an Error in upstream's words. */
export function parseTLSSettings({ tlsCipherSuites = [], tlsMinVersion = '', tlsCurvePreferences = [] }: TLSFlags): TLSSettings {
  const minVersion = tlsMinVersion === '' ? 'TLSv1.2' : versions.get(tlsMinVersion);
  for (const name of tlsCipherSuites) {
    if (!suites.has(name) && !tls13.includes(name)) throw new Error(`Cipher suite ${name} not supported or doesn't exist`);
    if (suites.get(name)?.openSSL === '') throw new Error(`Cipher suite ${name} is too weak to be supported`);
  }
  if (minVersion === undefined) throw new Error(`unknown tls version ${quote(tlsMinVersion)}`);
  const isWanted = (name: string, suite: Suite) =>
    tlsCipherSuites.length === 0 ? suite.isDefault === true : tlsCipherSuites.includes(name);
  const older = [...suites].flatMap(([name, suite]) => (isWanted(name, suite) ? [suite.openSSL] : []));
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  return {
    minVersion,
    // OpenSSL has these versions on its lowest level of security only.
    ciphers: [...tls13, ...new Set(older), ...(isOld ? ['@SECLEVEL=0'] : [])].join(':'),
    honorCipherOrder: true,
    ...(tlsCurvePreferences.length === 0 ? {} : { ecdhCurve: parseCurves(tlsCurvePreferences) }),
  };
}

/** Throws where HTTP/2 would lack the suite that it requires, as Go's server does. */
export function requireHTTP2Suite({ tlsCipherSuites = [], tlsMinVersion }: TLSFlags): void {
  const required = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'];
  if (tlsCipherSuites.length === 0 || tlsMinVersion === 'VersionTLS13' || required.some((name) => tlsCipherSuites.includes(name))) return;
  throw new Error(
    `error configuring http2: http2: TLSConfig.CipherSuites is missing an HTTP/2-required AES_128_GCM_SHA256 cipher (need at least one of ${required.join(' or ')})`,
  );
}

function parseCurves(numbers: readonly number[]): string {
  const seen = new Set<number>();
  const names = numbers.map((number) => {
    if (!Number.isInteger(number) || number <= 0 || number > 65_535)
      throw new Error(`curve preference ${number} is out of range (must be 1-65535)`);
    if (seen.has(number)) throw new Error(`duplicate curve preference ${number}`);
    seen.add(number);
    const name = curves.get(number);
    if (name === undefined) throw new Error(`curve preference ${number} is not supported`);
    return name;
  });
  return names.join(':');
}
