import { X509Certificate } from 'node:crypto';
import { formatTime } from '../../api/meta/time.ts';
import type { KeyPairPEM } from './certificate-spec.ts';
import { crossSign, makeAuthority, type MakingDependencies } from './make-certificate.ts';
import { firstCertificate, joinPEM, splitCertificates } from './pem-bundle.ts';
import { applyChanges, pairChanges, type PKIChange, type PKIContents } from './pki-files.ts';
import {
  type AuthorityName,
  authorityNames,
  authorityOf,
  crossOf,
  getAuthority,
  leafNames,
  nextOf,
  planRenewal,
  previousOf,
} from './renew-certificates.ts';

/**
 * The state of a rotation of authorities. `trusting`: the next authority exists and is trusted besides the present one, but signs nothing
 * yet. `issuing`: it signs, and all leaf certificates are its own; the previous authority is still trusted.
 */
export interface Rotation {
  readonly phase: 'trusting' | 'issuing';
  readonly authorities: readonly AuthorityName[];
  readonly startedAt: string;
  /** The start of the phase. */
  readonly since: string;
  /** From then on the running control plane drops the previous authority when nothing uses it. Absent: a command does. */
  readonly dropAfter?: string;
  /** Whether the rotation was rolled back: the earlier authority signs again, and the new one will be dropped. */
  readonly isTakenBack?: boolean;
}

const rotationFile = 'rotation.json';

/** A step that cannot be taken now. */
export class RotationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RotationError';
  }
}

/** Undefined: none is under way. */
export function findRotation(contents: PKIContents): Rotation | undefined {
  const text = contents.get(rotationFile);
  return text === undefined ? undefined : (JSON.parse(text) as Rotation);
}

interface StartOptions {
  readonly authorities: readonly AuthorityName[];
  readonly dropAfterMs?: number;
}

/** Step 1: makes the next authorities, which are trusted besides the present ones. */
export async function planStart(contents: PKIContents, options: StartOptions, making: MakingDependencies): Promise<PKIChange[]> {
  const under = findRotation(contents);
  if (under) throw new RotationError(`a rotation of ${under.authorities.join(' and ')} is under way, since ${under.startedAt}`);
  const nowMs = making.clock.nowMs();
  const changes: PKIChange[] = [];
  for (const name of options.authorities) {
    const present = getAuthority(contents, name, nowMs);
    const next = await makeAuthority(nameOfNext(present.certificatePEM, nowMs), making);
    changes.push(
      ...pairChanges(nextOf(name), next),
      { path: `${crossOf(name)}.crt`, text: await crossSign(next.certificatePEM, present, making), secret: false },
      bundle(name, [...splitCertificates(contents.get(`${name}.crt`) ?? ''), next.certificatePEM]),
    );
  }
  const now = formatTime(nowMs);
  const dropAfter = options.dropAfterMs === undefined ? {} : { dropAfter: formatTime(nowMs + options.dropAfterMs) };
  return [...changes, note({ phase: 'trusting', authorities: options.authorities, startedAt: now, since: now, ...dropAfter })];
}

/** Step 2: the next authorities sign, and every leaf certificate is made anew by them. */
export async function planIssue(contents: PKIContents, making: MakingDependencies): Promise<PKIChange[]> {
  const rotation = getRotation(contents, 'trusting');
  const changes: PKIChange[] = [];
  for (const name of rotation.authorities) {
    const next = getPair(contents, nextOf(name));
    const present = getPair(contents, name);
    changes.push(...replaceSigning(contents, name, { next, present }), ...removal(nextOf(name)));
  }
  return await withLeaves(contents, [...changes, note({ ...rotation, phase: 'issuing', since: formatTime(making.clock.nowMs()) })], making);
}

/** Step 3: the previous authorities are no longer trusted, and the certificates that they signed are invalid. */
export function planFinish(contents: PKIContents): PKIChange[] {
  const { authorities } = getRotation(contents, 'issuing');
  const changes: PKIChange[] = [];
  for (const name of authorities) {
    const previous = getPair(contents, previousOf(name));
    changes.push(without(contents, name, previous), ...removal(previousOf(name)), { path: `${crossOf(name)}.crt`, secret: false });
  }
  for (const leaf of leavesOf(contents, authorities)) {
    const text = contents.get(`${leaf}.crt`) ?? '';
    // The issuer of the authority need not be published any more.
    if (splitCertificates(text).length > 1) changes.push({ path: `${leaf}.crt`, text: firstCertificate(text), secret: false });
  }
  return [...changes, { path: rotationFile, secret: false }];
}

/**
 * Rolls a rotation back. Next authorities that have signed nothing are dropped. Otherwise the previous ones sign again, and the others stay
 * trusted until the rotation is finished, which drops them.
 */
export async function planRollback(contents: PKIContents, making: MakingDependencies): Promise<PKIChange[]> {
  const rotation = findRotation(contents);
  if (rotation === undefined) throw new RotationError('no rotation is under way');
  const { authorities } = rotation;
  if (rotation.phase === 'trusting')
    return [
      ...authorities.flatMap((name) => [
        without(contents, name, getPair(contents, nextOf(name))),
        ...removal(nextOf(name)),
        { path: `${crossOf(name)}.crt`, secret: false },
      ]),
      { path: rotationFile, secret: false },
    ];
  const changes: PKIChange[] = [];
  for (const name of authorities) {
    const [present, next] = [getPair(contents, name), getPair(contents, previousOf(name))];
    const crossPEM = await crossSign(next.certificatePEM, present, making);
    changes.push(...replaceSigning(contents, name, { next, present }), { path: `${crossOf(name)}.crt`, text: crossPEM, secret: false });
  }
  return await withLeaves(
    contents,
    [...changes, note({ ...rotation, since: formatTime(making.clock.nowMs()), isTakenBack: rotation.isTakenBack !== true })],
    making,
  );
}

/** The SHA-256 fingerprints of the authorities in a rotation of the cluster's authority. */
export function authoritiesInRotation(contents: PKIContents): { readonly signing: string; readonly other: string | undefined } {
  const fingerprint = (pem: string | undefined) => (pem === undefined ? undefined : fingerprintOf(pem));
  const other = contents.get(`${nextOf('ca')}.crt`) ?? contents.get(`${previousOf('ca')}.crt`);
  return { signing: fingerprintOf(contents.get('ca.crt') ?? ''), other: fingerprint(other) };
}

/** Hexadecimal. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(firstCertificate(pem)).fingerprint256.replaceAll(':', '').toLowerCase();
}

async function withLeaves(contents: PKIContents, changes: readonly PKIChange[], making: MakingDependencies): Promise<PKIChange[]> {
  const after = applyChanges(contents, changes);
  const { authorities } = getRotation(after, 'issuing');
  return [...changes, ...(await planRenewal(after, leavesOf(after, authorities), making))];
}

function leavesOf(contents: PKIContents, authorities: readonly AuthorityName[]): string[] {
  return leafNames(contents).filter((leaf) => authorities.includes(authorityOf(leaf)));
}

interface Exchange {
  readonly next: KeyPairPEM;
  readonly present: KeyPairPEM;
}

/** Makes `next` the signing authority, first among the trusted ones; `present` is kept for a rollback. */
function replaceSigning(contents: PKIContents, name: AuthorityName, { next, present }: Exchange): PKIChange[] {
  return [
    bundle(name, [next.certificatePEM, ...splitCertificates(contents.get(`${name}.crt`) ?? '')]),
    { path: `${name}.key`, text: next.keyPEM, secret: true },
    ...pairChanges(previousOf(name), present),
  ];
}

function bundle(name: AuthorityName, certificates: readonly string[]): PKIChange {
  return { path: `${name}.crt`, text: joinPEM(certificates), secret: false };
}

function without(contents: PKIContents, name: AuthorityName, { certificatePEM }: KeyPairPEM): PKIChange {
  const gone = fingerprintOf(certificatePEM);
  return bundle(
    name,
    splitCertificates(contents.get(`${name}.crt`) ?? '').filter((one) => fingerprintOf(one) !== gone),
  );
}

function removal(name: string): PKIChange[] {
  return [
    { path: `${name}.crt`, secret: false },
    { path: `${name}.key`, secret: true },
  ];
}

function note(rotation: Rotation): PKIChange {
  return { path: rotationFile, text: `${JSON.stringify(rotation, undefined, 2)}\n`, secret: false };
}

function getRotation(contents: PKIContents, phase: Rotation['phase']): Rotation {
  const rotation = findRotation(contents);
  if (rotation === undefined) throw new RotationError("no rotation is under way: 'kubets certs rotate-ca' begins one");
  if (rotation.phase !== phase) throw new RotationError(`the rotation is in its phase ${rotation.phase}, not ${phase}`);
  return rotation;
}

function getPair(contents: PKIContents, name: string): KeyPairPEM {
  const [certificates, keyPEM] = [contents.get(`${name}.crt`), contents.get(`${name}.key`)];
  if (certificates === undefined || keyPEM === undefined) throw new RotationError(`${name}.crt or ${name}.key is missing`);
  return { certificatePEM: firstCertificate(certificates), keyPEM };
}

/** A name that differs from the present one's, because programs find the issuer of a certificate by its name. */
function nameOfNext(presentPEM: string, nowMs: number): string {
  const name = /^CN=(.*)$/m.exec(new X509Certificate(presentPEM).subject)?.[1] ?? 'kubernetes';
  return `${name.replace(/@\d+$/, '')}@${Math.floor(nowMs / 1000)}`;
}

export function parseAuthorities(text: string): readonly AuthorityName[] {
  if (text === 'all') return authorityNames;
  const found = authorityNames.find((name) => name === text);
  if (found === undefined) throw new Error(`there is no authority ${text}: it is ${authorityNames.join(' or ')}, or all`);
  return [found];
}
