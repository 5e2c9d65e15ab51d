import { createHash, createHmac, timingSafeEqual, X509Certificate } from 'node:crypto';
import https from 'node:https';
import { load } from 'js-yaml';
import { splitCertificates } from '../../pki/pem-bundle.ts';

interface DiscoveryOptions {
  /** https://host:port */
  readonly server: string;
  /** `<id>.<secret>` */
  readonly token: string;
  /** `sha256:<hex>` of the CA's public key, as kubeadm prints it; any of them will do. */
  readonly caHashes: readonly string[];
}

/** The facts about a cluster once it can be trusted. */
interface DiscoveredCluster {
  readonly server: string;
  readonly caPEM: string;
}

const infoPath = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

/** `sha256:<hex>` over the public key (SubjectPublicKeyInfo, DER) of a certificate: names a CA. */
export function publicKeyHash(certificatePEM: string): string {
  const key = new X509Certificate(certificatePEM).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** The hash of each certificate: during a rotation of authorities there is more than one. */
export function publicKeyHashes(bundlePEM: string): string[] {
  return splitCertificates(bundlePEM).map(publicKeyHash);
}

/**
 * Gets a cluster's CA from the cluster, as `kubeadm join` does: cluster-info, read over an unverified connection, is signed with the token,
 * and its CA must have the hash that the user brought; then the server must prove that it has a certificate by that CA.
 */
export async function discoverCluster(options: DiscoveryOptions): Promise<DiscoveredCluster> {
  const { server, token, caHashes } = options;
  const [id = '', secret] = token.split('.');
  if (!/^[a-z0-9]{6}$/.test(id) || secret === undefined || !/^[a-z0-9]{16}$/.test(secret))
    throw new Error('a bootstrap token looks like abcdef.0123456789abcdef');
  if (!server.startsWith('https://') || !URL.canParse(server)) throw new Error(`${server} is no address such as https://10.0.0.1:6443`);
  const first = await readClusterInfo(server, undefined);
  const kubeconfig = first['kubeconfig'] ?? '';
  const signature = first[`jws-kubeconfig-${id}`];
  if (signature === undefined)
    throw new Error(
      `the token ID "${id}" is invalid for this cluster or it has expired. Use "kubets token create" there to create a new one`,
    );
  if (!isSignedWith(signature, kubeconfig, id, secret))
    throw new Error(`the signature of the cluster's information does not match token "${id}"`);
  const caPEM = authorityOf(kubeconfig);
  const hashes = publicKeyHashes(caPEM);
  if (!hashes.some((hash) => caHashes.includes(hash)))
    throw new Error(`the CA of ${server} has the hash ${hashes.join(', ')}, which is not the one given: is it the right cluster?`);
  const again = await readClusterInfo(server, caPEM);
  if (again['kubeconfig'] !== kubeconfig) throw new Error(`${server} told something else over a verified connection than before`);
  return { server, caPEM };
}

function isSignedWith(signature: string, content: string, id: string, secret: string): boolean {
  const [header = '', payload, mac = ''] = signature.split('.');
  const claims = JSON.parse(Buffer.from(header, 'base64url').toString()) as { readonly alg?: string; readonly kid?: string };
  const wanted = createHmac('sha256', secret)
    .update(`${header}.${Buffer.from(content).toString('base64url')}`)
    .digest();
  const given = Buffer.from(mac, 'base64url');
  return payload === '' && claims.alg === 'HS256' && claims.kid === id && given.length === wanted.length && timingSafeEqual(given, wanted);
}

interface InfoKubeconfig {
  readonly clusters?: readonly { readonly cluster?: { readonly 'certificate-authority-data'?: string } }[];
}

/** PEM of the CA that a kubeconfig names. */
export function authorityOf(kubeconfig: string): string {
  const data = (load(kubeconfig) as InfoKubeconfig | undefined)?.clusters?.[0]?.cluster?.['certificate-authority-data'];
  if (data === undefined) throw new Error("the cluster's information names no certificate authority");
  return Buffer.from(data, 'base64').toString();
}

/** `ca` absent: over a connection that proves nothing. */
function readClusterInfo(server: string, ca: string | undefined): Promise<Readonly<Record<string, string>>> {
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
  return new Promise((resolve, reject) => {
    const request = https.get(`${server}${infoPath}`, { ...trust, agent: false, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200)
          return reject(new Error(`${server} does not tell about its cluster (${response.statusCode}): ${text.trim()}`));
        try {
          resolve((JSON.parse(text) as { readonly data?: Record<string, string> }).data ?? {});
        } catch (error) {
          reject(new Error(`${server} is no API server`, { cause: error }));
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
    request.on('error', (error) => reject(new Error(`${server} cannot be reached: ${error.message}`, { cause: error })));
  });
}
