import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createHTTPTransport } from '../../../api/client/http-transport.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { clusterAuthoritiesKey } from '../../../api/semantics/certificates/cluster-authorities.ts';
import type { PKIContents } from '../../pki/pki-files.ts';

import { splitCertificates } from '../../pki/pem-bundle.ts';
import { previousOf } from '../../pki/renew-certificates.ts';
import { findBlockers } from '../../pki/rotation-blockers.ts';
import type { Instance } from '../data-dir/data-dir.ts';
import { parseKubeconfig } from '../data-dir/kubeconfig.ts';

/** Asks the running cluster as its administrator, with the kubeconfig of the moment: a rotation replaces it. */
async function withAdmin<T>({ kubeconfig }: Instance, work: (client: Client) => Promise<T>): Promise<T> {
  const credentials = parseKubeconfig(readFileSync(kubeconfig, 'utf8'));
  const http = createHTTPTransport({ ...credentials, clock: systemClock, timeoutSeconds: 5 });
  try {
    return await work(createClient(http.transport, { userAgent: 'kubets' }));
  } finally {
    http.close();
  }
}

/** The certificate that the API server serves with now. */
export function servedCertificate({ server }: Instance): Promise<X509Certificate> {
  const { hostname, port } = new URL(server);
  return new Promise((resolve, reject) => {
    // Only looked at: nothing is sent.
    const socket = tls.connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), rejectUnauthorized: false, timeout: 5000 });
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) resolve(certificate);
      else reject(new Error(`${server} shows no certificate`));
    });
    socket.once('timeout', () => socket.destroy(new Error(`${server} does not answer`)));
    socket.once('error', reject);
  });
}

/** Parts of the cluster that the next step of the rotation would lock out, each with the reason. */
export async function findObstacles(instance: Instance, contents: PKIContents): Promise<string[]> {
  return await withAdmin(instance, async (client) => {
    const [{ items }, unpublished] = await Promise.all([client(nodes).list(), findUnpublished(client, contents)]);
    const blockers = findBlockers(items, contents).map(({ node, reason }) => `node ${node}: ${reason}`);
    return [...unpublished, ...(await findOldServing(instance, contents)), ...blockers];
  });
}

/** Places in the API that do not hold the authorities of the moment. */
async function findUnpublished(client: Client, contents: PKIContents): Promise<string[]> {
  const trusted = contents.get('ca.crt') ?? '';
  const [{ items: all }, { items: bundles }, authorities] = await Promise.all([
    client(namespaces).list(),
    client(configMaps).list({ fieldSelector: 'metadata.name=kube-root-ca.crt' }),
    ignoreNotFound(client(configMaps).get(clusterAuthoritiesKey)),
  ]);
  const right = new Set(bundles.filter(({ data }) => data?.['ca.crt'] === trusted).map(({ metadata }) => metadata.namespace));
  const missing = all.filter(({ metadata, status }) => status?.phase !== 'Terminating' && !right.has(metadata.name));
  return [
    ...missing.map(({ metadata }) => `ConfigMap ${metadata.name}/kube-root-ca.crt does not hold the authorities of the moment yet`),
    ...(authorities?.data?.['ca.crt'] === trusted
      ? []
      : [`ConfigMap ${clusterAuthoritiesKey.namespace}/${clusterAuthoritiesKey.name} does not hold the authorities of the moment yet`]),
  ];
}

/** A certificate that was given by flags is of neither authority, and stays. */
async function findOldServing(instance: Instance, contents: PKIContents): Promise<string[]> {
  const previous = contents.get(`${previousOf('ca')}.crt`);
  if (previous === undefined) return [];
  const isOld = (await servedCertificate(instance)).checkIssued(new X509Certificate(previous));
  return isOld ? ['the API server serves with a certificate of the old authority'] : [];
}

/** Whether the API server serves with a certificate of the cluster, and not with one given by flags. */
export async function servesOwnCertificate(instance: Instance, contents: PKIContents): Promise<boolean> {
  const served = await servedCertificate(instance);
  return splitCertificates(contents.get('ca.crt') ?? '').some((pem) => served.checkIssued(new X509Certificate(pem)));
}

/** Nodes as a rotation sees them, for people. */
export async function describeNodes(instance: Instance, contents: PKIContents): Promise<string[]> {
  const { items } = await withAdmin(instance, (client) => client(nodes).list());
  const blocked = new Map(findBlockers(items, contents).map(({ node, reason }) => [node, reason]));
  return items.map(({ metadata: { name = '' } }) => `node ${name}: ${blocked.get(name) ?? 'ready for the next step'}`);
}

/** Secrets with tokens of service accounts that the present key has not signed. */
export async function findOldTokens(instance: Instance, keyID: string): Promise<string[]> {
  const selection = { fieldSelector: 'type=kubernetes.io/service-account-token' };
  const { items } = await withAdmin(instance, (client) => client(secrets).list(selection));
  return items
    .filter(({ data }) => keyOfToken(Buffer.from(data?.['token'] ?? '', 'base64').toString()) !== keyID)
    .map(({ metadata }) => `Secret ${metadata.namespace}/${metadata.name} holds a token of the old key`);
}

function keyOfToken(token: string): string | undefined {
  try {
    const header: { readonly kid?: string } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    return header.kid;
  } catch {
    return undefined;
  }
}
