import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { commonNameType, readDistinguishedName } from '../../../api/semantics/certificates/distinguished-name.ts';
import { readCertificateSubject } from '../../../api/serialization/certificate-subject.ts';
import type { PKIContents } from '../../pki/pki-files.ts';
import { type DataDir, findInstance, writeFileAtomically } from '../data-dir/data-dir.ts';
import { type Credentials, formatKubeconfig, parseKubeconfig } from '../data-dir/kubeconfig.ts';
import { findLocalNodes } from '../local-nodes/local-nodes.ts';

/** The kubeconfigs that kubets has written for the cluster of a data dir: the administrator's, and those of its nodes. */
export function kubeconfigsOf(dataDir: DataDir): string[] {
  const nodes = [dataDir, ...findLocalNodes(dataDir).map((node) => node.dataDir)];
  const files = [
    dataDir.adminKubeconfig,
    findInstance(dataDir.path)?.kubeconfig ?? dataDir.adminKubeconfig,
    ...nodes.map(({ node }) => path.join(node, 'kubelet.kubeconfig')),
  ];
  return [...new Set(files)].filter((file) => existsSync(file));
}

/** Brings the kubeconfigs to the certificates and authorities that are there now. Answers those that were written. */
export function syncKubeconfigs(dataDir: DataDir, contents: PKIContents): string[] {
  return kubeconfigsOf(dataDir).filter((file) => {
    const text = readFileSync(file, 'utf8');
    const changed = bringUpToDate(text, contents);
    if (changed === undefined || changed === text) return false;
    writeFileAtomically(file, changed, 0o600);
    return true;
  });
}

/** A kubeconfig with the present certificates; undefined for one that kubets did not write, or that was changed since. */
export function bringUpToDate(text: string, contents: PKIContents): string | undefined {
  const credentials = findCredentials(text);
  if (credentials === undefined) return undefined;
  const userName = userNameOf(credentials.certificate);
  if (userName === undefined || formatKubeconfig(credentials, userName) !== text) return undefined;
  const pair = userName.startsWith('system:node:') ? `node-${userName.slice('system:node:'.length)}` : 'admin';
  const [ca, certificate, key] = [contents.get('ca.crt'), contents.get(`${pair}.crt`), contents.get(`${pair}.key`)];
  if (ca === undefined || certificate === undefined || key === undefined) return undefined;
  return formatKubeconfig({ server: credentials.server, ca, certificate, key }, userName);
}

function findCredentials(text: string): Credentials | undefined {
  try {
    return parseKubeconfig(text);
  } catch {
    return undefined;
  }
}

function userNameOf(certificatePEM: string): string | undefined {
  try {
    const attributes = readDistinguishedName(readCertificateSubject(new X509Certificate(certificatePEM).raw));
    return attributes.findLast(({ type }) => type === commonNameType)?.value;
  } catch {
    return undefined;
  }
}
