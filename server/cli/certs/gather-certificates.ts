import { existsSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createPKIFiles } from '../../control-plane/pki-files.ts';
import { machineAddress } from '../../control-plane/addresses.ts';
import {
  type CertificateSource,
  checkCertificate,
  type CheckedCertificate,
  type CheckedKey,
  checkServiceAccountKeys,
} from '../../pki/check-certificates.ts';
import { splitCertificates, splitPublicKeys } from '../../pki/pem-bundle.ts';
import type { PKIContents } from '../../pki/pki-files.ts';
import { type AuthorityName, authorityNames, authorityOf, leafNames, nextOf, previousOf } from '../../pki/renew-certificates.ts';
import { findRotation, type Rotation } from '../../pki/rotate-authorities.ts';
import { findKeyRotation, type KeyRotation } from '../../pki/rotate-service-account-key.ts';
import { type DataDir, findInstance } from '../data-dir/data-dir.ts';
import { parseKubeconfig } from '../data-dir/kubeconfig.ts';
import { authorityOf as authorityInKubeconfig } from '../join/discovery.ts';
import { findLocalNodes } from '../local-nodes/local-nodes.ts';
import { kubeconfigsOf } from './certs-kubeconfigs.ts';

/** All keys and certificates of a data dir, with the results of their checks. Printed by `kubets certs check -o json`. */
export interface CertificatesReport {
  readonly dataDirectory: string;
  readonly certificates: readonly CheckedCertificate[];
  readonly authorities: readonly CheckedCertificate[];
  readonly keys: readonly CheckedKey[];
  /** Absent: none is under way. */
  readonly rotation?: Rotation;
  /** Absent: there is no older key. */
  readonly serviceAccountKeyRotation?: KeyRotation;
}

interface GatherTerms {
  readonly nowMs: number;
  readonly thresholdDays: number;
}

export async function gatherCertificates(dataDir: DataDir, terms: GatherTerms): Promise<CertificatesReport> {
  const contents = await createPKIFiles(dataDir.pki).readAll();
  const check = (source: CertificateSource) => checkCertificate(source, terms);
  const [rotation, keyRotation] = [findRotation(contents), findKeyRotation(contents)];
  const sources = [
    ...leafSources(dataDir, contents),
    ...kubeconfigSources(dataDir, contents),
    ...joinedSources(dataDir),
    ...etcdSources(dataDir),
    ...servingSources(dataDir),
  ];
  return {
    dataDirectory: dataDir.path,
    certificates: sources.map(check),
    authorities: [...authoritySources(dataDir, contents), ...joinedAuthorities(dataDir)].map(check),
    keys: contents.has('ca.crt') || contents.has('sa.key') ? [serviceAccountKeys(dataDir, contents)] : [],
    ...(rotation ? { rotation } : {}),
    ...(keyRotation ? { serviceAccountKeyRotation: keyRotation } : {}),
  };
}

function leafSources({ pki, path: directory }: DataDir, contents: PKIContents): CertificateSource[] {
  return leafNames(contents).map((name) => {
    const authority = authorityOf(name);
    return {
      name,
      kind: 'certificate',
      file: path.join(pki, `${name}.crt`),
      certificatePEM: contents.get(`${name}.crt`) ?? '',
      keyPEM: contents.get(`${name}.key`) ?? '',
      authority: { name: authority, trustedPEM: contents.get(`${authority}.crt`) ?? '' },
      names: namesOf(name, directory),
      remedy: `kubets certs renew ${name}`,
    };
  });
}

/** Names that a serving certificate has to have whatever flags the control plane was started with. */
function namesOf(leaf: string, directory: string): readonly string[] {
  if (leaf.startsWith('kubelet-')) return [leaf.slice('kubelet-'.length)];
  if (leaf !== 'apiserver') return [];
  const server = findInstance(directory)?.server;
  const host = server === undefined ? [] : [new URL(server).hostname.replace(/^\[|\]$/g, '')];
  return [...new Set(['kubernetes', 'kubernetes.default.svc', 'localhost', os.hostname(), '127.0.0.1', machineAddress(), ...host])];
}

function authoritySources({ pki }: DataDir, contents: PKIContents): CertificateSource[] {
  return authorityNames.flatMap((name) => {
    const [signing, ...others] = splitCertificates(contents.get(`${name}.crt`) ?? '');
    if (signing === undefined && !contents.has(`${name}.key`)) return [];
    const remedy = `kubets certs rotate-ca --authority ${name}`;
    const common = { kind: 'authority', file: path.join(pki, `${name}.crt`), remedy } as const;
    return [
      { ...common, name, ...(signing === undefined ? {} : { certificatePEM: signing }), keyPEM: contents.get(`${name}.key`) ?? '' },
      ...others.map((certificatePEM) => ({ ...common, name: nameOfOther(name, contents), certificatePEM })),
    ];
  });
}

function nameOfOther(name: AuthorityName, contents: PKIContents): string {
  return contents.has(`${nextOf(name)}.crt`)
    ? nextOf(name)
    : contents.has(`${previousOf(name)}.crt`)
      ? previousOf(name)
      : `${name} (trusted)`;
}

function kubeconfigSources(dataDir: DataDir, contents: PKIContents): CertificateSource[] {
  return kubeconfigsOf(dataDir).flatMap((file) => {
    const name = file.startsWith(`${dataDir.path}/`) ? path.relative(dataDir.path, file) : file;
    const remedy = `kubets certs renew writes it anew, unless it was changed by hand`;
    const trustedPEM = contents.get('ca.crt') ?? '';
    try {
      const { certificate, key } = parseKubeconfig(readFileSync(file, 'utf8'));
      return [{ name, file, kind: 'certificate', certificatePEM: certificate, keyPEM: key, authority: { name: 'ca', trustedPEM }, remedy }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') return []; // not ours to read
      return [{ name, file, kind: 'certificate', certificatePEM: '', remedy }];
    }
  });
}

/** Certificates that the cluster gave to nodes of this machine. */
function joinedSources(dataDir: DataDir): CertificateSource[] {
  return joinedNodes(dataDir).flatMap(({ node, trustedPEM }) =>
    readdirSync(path.join(node, 'pki'))
      .filter((name) => name.endsWith('-current.pem'))
      .map((fileName) => {
        const file = path.join(node, 'pki', fileName);
        const pem = readFileSync(file, 'utf8');
        return {
          name: fileName.slice(0, -'-current.pem'.length),
          file,
          kind: 'certificate',
          certificatePEM: pem,
          keyPEM: pem,
          authority: { name: 'cluster-ca', trustedPEM },
          remedy: 'the node renews it while it can reach the API server; else it has to join again',
        } as const;
      }),
  );
}

function joinedAuthorities(dataDir: DataDir): CertificateSource[] {
  return joinedNodes(dataDir).flatMap(({ file, trustedPEM }) =>
    splitCertificates(trustedPEM).map(
      (certificatePEM) =>
        ({
          name: 'cluster-ca',
          file,
          kind: 'authority',
          certificatePEM,
          remedy: 'kubets certs rotate-ca on the control plane',
        }) as const,
    ),
  );
}

function joinedNodes(dataDir: DataDir) {
  return [dataDir, ...findLocalNodes(dataDir).map((one) => one.dataDir)].flatMap(({ node }) => {
    const [learned, bootstrap] = [path.join(node, 'pki/cluster-ca.crt'), path.join(node, 'bootstrap-kubelet.kubeconfig')];
    if (!existsSync(path.join(node, 'pki')) || !existsSync(bootstrap)) return [];
    if (existsSync(learned)) return [{ node, file: learned, trustedPEM: readFileSync(learned, 'utf8') }];
    return [{ node, file: bootstrap, trustedPEM: authorityInKubeconfig(readFileSync(bootstrap, 'utf8')) }];
  });
}

/** The certificates of --tls-cert-file and --tls-sni-cert-key, while the control plane runs that was given them. */
function servingSources({ path: directory }: DataDir): CertificateSource[] {
  return (findInstance(directory)?.serving ?? []).map(({ flag, certificate, key, names }) => ({
    name: names.length === 0 ? flag : `${flag} (${names.join(',')})`,
    file: certificate,
    kind: 'certificate',
    ...(existsSync(certificate) ? { certificatePEM: read(certificate) } : {}),
    keyPEM: read(key),
    // A wildcard is the name of no host.
    names: names.filter((name) => !name.startsWith('*')),
    remedy: 'renew it where it comes from: the control plane takes the files over when they change',
  }));
}

function read(file: string | undefined): string {
  return file === undefined || !existsSync(file) ? '' : readFileSync(file, 'utf8');
}

/** Of a control plane that runs: with which it asks its etcd. */
function etcdSources({ path: directory }: DataDir): CertificateSource[] {
  const { etcd } = findInstance(directory) ?? {};
  if (etcd?.certificate === undefined) return [];
  return [
    {
      name: 'etcd-client',
      file: etcd.certificate,
      kind: 'certificate',
      certificatePEM: read(etcd.certificate),
      keyPEM: read(etcd.key),
      ...(etcd.ca === undefined ? {} : { authority: { name: 'etcd-ca', trustedPEM: read(etcd.ca) } }),
      remedy: 'it is issued where the etcd is',
    },
  ];
}

function serviceAccountKeys({ pki }: DataDir, contents: PKIContents): CheckedKey {
  return checkServiceAccountKeys(path.join(pki, 'sa.key'), {
    privateKeyPEM: contents.get('sa.key'),
    publicKeysPEM: splitPublicKeys(contents.get('sa.pub') ?? ''),
  });
}
