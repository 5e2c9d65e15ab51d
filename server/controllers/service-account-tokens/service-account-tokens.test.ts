import assert from 'node:assert/strict';
import { createWatchedValue } from '../../../api/base/watched-value.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import type { SecretTokenClaims } from '../../../api/semantics/secrets/service-account-tokens.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { createServiceAccountTokens } from './controller.ts';

const namespace = 'ns';
const type = 'kubernetes.io/service-account-token';
const text = (value: string | undefined) => Buffer.from(value ?? '', 'base64').toString();

describe('serviceaccount-token-controller', () => {
  const signed: SecretTokenClaims[] = [];
  const sign = async (claims: SecretTokenClaims) => `token ${signed.push(claims)}`;
  const rootCA = createWatchedValue('CA');
  let plane: ReturnType<typeof startManualPlane>;
  const settle = () => plane.clock.advance(1000);
  const secretFor = (account: string, more: Record<string, string> = {}) => ({
    metadata: { namespace, name: 'token', annotations: { 'kubernetes.io/service-account.name': account, ...more } },
    type,
  });
  const secret = () => ignoreNotFound(plane.client(secrets).get({ namespace, name: 'token' }));
  beforeEach(() => {
    signed.length = 0;
    rootCA.set('CA');
    plane = startManualPlane([createServiceAccountTokens(rootCA, sign)]);
  });
  afterEach(() => plane.finish());

  it('fills a Secret once, and keeps its CA right', async () => {
    const { metadata } = await plane.client(serviceAccounts).create({ metadata: { namespace, name: 'robot' } });
    await plane.client(secrets).create({ ...secretFor('robot'), data: { mine: 'eA==' } });
    await settle();
    const filled = await secret();
    assert.deepEqual(
      [text(filled?.data?.['token']), text(filled?.data?.['namespace']), text(filled?.data?.['ca.crt']), text(filled?.data?.['mine'])],
      ['token 1', namespace, 'CA', 'x'],
    );
    assert.equal(filled?.metadata.annotations?.['kubernetes.io/service-account.uid'], metadata.uid);
    assert.deepEqual(signed, [{ namespace, secretName: 'token', serviceAccount: { name: 'robot', uid: metadata.uid } }]);
    assert.ok(filled);
    await plane.client(secrets).update({ ...filled, data: { ...filled.data, 'ca.crt': 'eA==' } });
    await settle();
    assert.deepEqual([text((await secret())?.data?.['ca.crt']), signed.length], ['CA', 1]);
    rootCA.set('another CA');
    await settle();
    assert.deepEqual([text((await secret())?.data?.['ca.crt']), signed.length], ['another CA', 1]);
  });

  it('deletes the Secrets of an account that is gone', async () => {
    await plane.client(serviceAccounts).create({ metadata: { namespace, name: 'robot' } });
    await plane.client(secrets).create(secretFor('robot'));
    await settle();
    await plane.client(serviceAccounts).delete({ namespace, name: 'robot' });
    await settle();
    assert.equal(await secret(), undefined);
  });

  it('deletes those of an account that never was, and of a former one of that name', async () => {
    await plane.client(secrets).create(secretFor('nobody'));
    await settle();
    assert.equal(await secret(), undefined);
    await plane.client(serviceAccounts).create({ metadata: { namespace, name: 'robot' } });
    await plane.client(secrets).create(secretFor('robot', { 'kubernetes.io/service-account.uid': 'former' }));
    await settle();
    assert.equal(await secret(), undefined);
  });

  it('leaves other Secrets alone', async () => {
    await plane.client(secrets).create({ ...secretFor('nobody'), type: 'Opaque' });
    await settle();
    assert.deepEqual([(await secret())?.data, signed.length], [undefined, 0]);
  });
});
