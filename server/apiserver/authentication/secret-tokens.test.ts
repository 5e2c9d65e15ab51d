import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { lastUsedLabel } from '../../../api/semantics/secrets/service-account-tokens.ts';
import { makeSigningKey } from '../../pki/make-certificate.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../testing/complete-server.ts';
import { createSecretTokenSigner, secretTokenAuthenticator, type TokenSecret } from './secret-tokens.ts';
import { readServiceAccountKeys } from './service-account-keys.ts';

const signing = await makeSigningKey();
const keys = readServiceAccountKeys(signing.privateKeyPEM);
const sign = createSecretTokenSigner(keys);
const claims = { namespace: 'ns', secretName: 's', serviceAccount: { name: 'sa', uid: 'u' } };
const token = await sign(claims);
const otherKey = createPrivateKey((await makeSigningKey()).privateKeyPEM);
const forged = await createSecretTokenSigner({ ...keys, signing: { ...keys.signing, privateKey: otherKey } })(claims);

describe('tokens of Secrets', () => {
  const good: TokenSecret = { token, isDeleted: false, isInvalidated: false };
  const used: string[] = [];
  const authenticatorWith = (secret: TokenSecret | undefined, uid: string | undefined) =>
    secretTokenAuthenticator({
      keys,
      audiences: ['api'],
      findSecret: async ({ namespace, name }) => (namespace === 'ns' && name === 's' ? secret : undefined),
      findAccountUID: async ({ namespace, name }) => (namespace === 'ns' && name === 'sa' ? uid : undefined),
      noteUse: ({ namespace, name }) => void used.push(`${namespace}/${name}`),
    });

  it('say who, for as long as the Secret has them', async () => {
    const result = await authenticatorWith(good, 'u').authenticateToken(token, []);
    assert.deepEqual(result, {
      user: { name: 'system:serviceaccount:ns:sa', uid: 'u', groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'] },
      audiences: ['api'],
    });
    assert.deepEqual(used, ['ns/s']);
  });
  it('of others are nobody', async () => {
    const other = await new SignJWT({ iss: 'https://x' }).setProtectedHeader({ alg: 'ES256' }).sign(keys.signing.privateKey);
    assert.equal(await authenticatorWith(good, 'u').authenticateToken(other, []), undefined);
    assert.equal(await authenticatorWith(good, 'u').authenticateToken('abc', []), undefined);
  });
  const refused: [string, string, TokenSecret | undefined, string | undefined, string[]][] = [
    ['when the Secret is gone', token, undefined, 'u', []],
    ['when the Secret is going', token, { ...good, isDeleted: true }, 'u', []],
    ['when the Secret holds another', token, { ...good, token: 'x' }, 'u', []],
    ['when they were not used for long', token, { ...good, isInvalidated: true }, 'u', []],
    ['when the account is gone', token, good, undefined, []],
    ['when the account is another', token, good, 'v', []],
    ['for another audience', token, good, 'u', ['vault']],
    ['by another key', forged, good, 'u', []],
  ];
  for (const [name, shown, secret, uid, audiences] of refused)
    it(`are refused ${name}`, () =>
      assert.rejects(async () => authenticatorWith(secret, uid).authenticateToken(shown, audiences), { code: 401 }));

  describe('on a whole server', function () {
    this.timeout(30_000);
    let complete: CompleteServer;
    before(async () => (complete = await startCompleteServer()));
    after(() => complete.close());

    it('are believed, and the day of their use is written down', async () => {
      const { admin, server } = complete;
      const account = await admin(serviceAccounts).create({ metadata: { namespace: 'default', name: 'robot' } });
      const key = { namespace: 'default', name: 'robot-token' };
      const own = await createSecretTokenSigner(readServiceAccountKeys(server.serviceAccountKeyPEM))({
        namespace: 'default',
        secretName: key.name,
        serviceAccount: { name: 'robot', uid: account.metadata.uid ?? '' },
      });
      await admin(secrets).create({
        metadata: { ...key, annotations: { 'kubernetes.io/service-account.name': 'robot' } },
        type: 'kubernetes.io/service-account-token',
        data: { token: Buffer.from(own).toString('base64') },
      });
      const ask = async (shown: string) => {
        const { status } = await server.transport({
          method: 'GET',
          path: '/api',
          query: '',
          headers: { authorization: `Bearer ${shown}` },
          signal: new AbortController().signal,
        });
        return status;
      };
      assert.equal(await ask(own), 200);
      await eventually('the day', async () => {
        const { metadata } = await admin(secrets).get(key);
        return /^\d{4}-\d\d-\d\d$/.test(metadata.labels?.[lastUsedLabel] ?? '');
      });
      await admin(secrets).delete(key);
      const other = { namespace: 'default', secretName: key.name, serviceAccount: { name: 'robot', uid: account.metadata.uid ?? '' } };
      assert.equal(await ask(await sign(other)), 401);
    });
  });
});
