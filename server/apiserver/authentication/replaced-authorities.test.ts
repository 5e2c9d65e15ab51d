import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { createWatchedValue, mapWatched } from '../../../api/base/watched-value.ts';
import { clientCertificate } from '../../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate, makeSigningKey } from '../../pki/make-certificate.ts';
import { createCertificateVerifier } from './client-certificate.ts';
import { followServiceAccountKeys, readServiceAccountKeys } from './service-account-keys.ts';
import { createTokenIssuer } from './service-account-token-issuer.ts';
import { serviceAccountTokenAuthenticator } from './service-account-token.ts';

const clock = createManualClock(Date.UTC(2026, 5, 1));
const random = createSeededRandom(5);
const making = { clock, random };

describe('authorities that are replaced while the server runs', () => {
  it('decide about certificates of open connections, too', async () => {
    const [old, next] = [await makeAuthority('old', making), await makeAuthority('next', making)];
    const bundle = createWatchedValue(old.certificatePEM);
    const authorities = mapWatched(bundle, (pem) => [pem]);
    const verify = createCertificateVerifier(authorities.get, clock);
    const issue = async (authority: typeof old) =>
      new X509Certificate((await makeCertificate(clientCertificate('jane'), authority, making)).certificatePEM).raw;
    const [byOld, byNext] = [await issue(old), await issue(next)];
    const verdicts = () => [byOld, byNext].map((certificate) => verify({ certificate }) !== undefined);
    assert.deepEqual(verdicts(), [true, false]);
    bundle.set(`${next.certificatePEM}${old.certificatePEM}`);
    assert.deepEqual(verdicts(), [true, true], 'what was refused a moment ago is looked at again');
    bundle.set(next.certificatePEM);
    assert.deepEqual(verdicts(), [false, true], 'what was believed before is not any more');
  });
});

describe('keys of service accounts that are replaced while the server runs', () => {
  it('sign new tokens with the new one, and believe tokens of the old one until it is dropped', async () => {
    const [old, next] = [await makeSigningKey(), await makeSigningKey()];
    const current = createWatchedValue(readServiceAccountKeys(old.privateKeyPEM));
    const keys = followServiceAccountKeys(current.get);
    const common = { keys, audiences: ['https://issuer'], clock };
    const issuer = createTokenIssuer({ ...common, issuer: 'https://issuer', random });
    const objects = { find: async () => ({ uid: 'u', deletionMs: undefined }) };
    const tokens = serviceAccountTokenAuthenticator({ ...common, issuers: ['https://issuer'], objects });
    const issue = async () =>
      (await issuer.issue({ namespace: 'ns', serviceAccount: { name: 'sa', uid: 'u' }, audiences: [], expirationSeconds: 3600 })).token;
    const isBelieved = async (token: string) => {
      try {
        return (await tokens.authenticateToken(token, [])) !== undefined;
      } catch {
        return false;
      }
    };
    const first = await issue();
    current.set(readServiceAccountKeys(next.privateKeyPEM, [old.publicKeyPEM]));
    const second = await issue();
    assert.deepEqual([await isBelieved(first), await isBelieved(second)], [true, true]);
    current.set(readServiceAccountKeys(next.privateKeyPEM));
    assert.deepEqual([await isBelieved(first), await isBelieved(second)], [false, true]);
  });
});
