import { formatTime } from '../../api/meta/time.ts';
import { makeSigningKey, type MakingDependencies } from './make-certificate.ts';
import { joinPEM, splitPublicKeys } from './pem-bundle.ts';
import type { PKIChange, PKIContents } from './pki-files.ts';
import { RotationError } from './rotate-authorities.ts';

const keyRotationFile = 'sa-rotation.json';

/** Older keys of service accounts are still believed. */
export interface KeyRotation {
  /** The time since which the present key signs. */
  readonly since: string;
}

/** Undefined: there is no older key. */
export function findKeyRotation(contents: PKIContents): KeyRotation | undefined {
  const text = contents.get(keyRotationFile);
  return text === undefined ? undefined : (JSON.parse(text) as KeyRotation);
}

/** Makes a new key that signs tokens from now on. Tokens of earlier keys stay valid until these keys are dropped. */
export async function planKeyRotation(contents: PKIContents, { clock }: MakingDependencies): Promise<PKIChange[]> {
  const publicPEM = contents.get('sa.pub');
  if (publicPEM === undefined || !contents.has('sa.key')) throw new RotationError('sa.key or sa.pub is missing');
  const next = await makeSigningKey();
  return [
    { path: 'sa.key', text: next.privateKeyPEM, secret: true },
    { path: 'sa.pub', text: joinPEM([next.publicKeyPEM, ...splitPublicKeys(publicPEM)]), secret: false },
    { path: keyRotationFile, text: `${JSON.stringify({ since: formatTime(clock.nowMs()) } satisfies KeyRotation)}\n`, secret: false },
  ];
}

/** Only the key that signs is believed. */
export function planKeyDrop(contents: PKIContents): PKIChange[] {
  const [own, ...older] = splitPublicKeys(contents.get('sa.pub') ?? '');
  if (own === undefined || older.length === 0) throw new RotationError('there is no older key of service accounts');
  return [
    { path: 'sa.pub', text: own, secret: false },
    { path: keyRotationFile, secret: false },
  ];
}
