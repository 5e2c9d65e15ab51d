import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** A key that verifies service account tokens. */
interface VerificationKey {
  readonly id: string;
  readonly algorithm: 'ES256' | 'RS256';
  readonly key: KeyObject;
}

/** May be replaced while the server runs: both are read for each token. */
export interface ServiceAccountKeys {
  /** Signs new tokens. */
  readonly signing: VerificationKey & { readonly privateKey: KeyObject };
  /** The keys that verify tokens: the signing key's own, and older ones. */
  readonly verification: readonly VerificationKey[];
}

/** Reads PEM keys (P-256 or RSA). `olderPublicKeysPEM` keep tokens valid that were signed before a change of keys. */
export function readServiceAccountKeys(privateKeyPEM: string, olderPublicKeysPEM: readonly string[] = []): ServiceAccountKeys {
  const privateKey = createPrivateKey(privateKeyPEM);
  const own = verificationKey(createPublicKey(privateKey));
  return {
    signing: { ...own, privateKey },
    verification: [own, ...olderPublicKeysPEM.map((pem) => verificationKey(createPublicKey(pem))).filter(({ id }) => id !== own.id)],
  };
}

/** The keys of the moment. */
export function followServiceAccountKeys(keys: () => ServiceAccountKeys): ServiceAccountKeys {
  return {
    get signing() {
      return keys().signing;
    },
    get verification() {
      return keys().verification;
    },
  };
}

function verificationKey(key: KeyObject): VerificationKey {
  const id = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  if (key.asymmetricKeyType === 'rsa') return { id, key, algorithm: 'RS256' };
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return { id, key, algorithm: 'ES256' };
  throw new Error(`service account keys must be RSA or P-256, not ${key.asymmetricKeyType}`);
}
