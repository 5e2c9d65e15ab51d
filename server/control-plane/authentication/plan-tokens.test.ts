import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { defaultTokens, planTokens, type TokenFlags } from './plan-tokens.ts';

describe('flags of the API server’s own tokens', () => {
  const warnings: string[] = [];
  const readText = (file: string) => {
    if (file === 'tokens.csv') return 'a,jane,1\na,joe,2';
    throw new Error(`open ${file}: no such file or directory`);
  };
  const plan = (flags: TokenFlags) =>
    planTokens(flags, { readText, logger: { ...silentLogger, warn: (text) => void warnings.push(text) } });

  for (const [flags, issuers, audiences] of [
    [{}, defaultTokens.issuers, defaultTokens.issuers],
    [{ serviceAccountIssuer: ['https://a', 'b'] }, ['https://a', 'b'], ['https://a', 'b']],
    [{ apiAudiences: ['x', 'y'] }, defaultTokens.issuers, ['x', 'y']],
    [{ serviceAccountIssuer: ['a'], apiAudiences: ['x'] }, ['a'], ['x']],
  ] as const)
    it(`${JSON.stringify(flags)} are issuers and audiences`, () => assert.deepEqual(plan(flags), { issuers, audiences }));

  for (const [serviceAccountIssuer, message] of [
    [['https://a', 'https://a'], 'service-account-issuer "https://a" is already specified'],
    [['https://a', ''], 'service-account-issuer should not be an empty string'],
    [['http://[bad'], /^service-account-issuer "http:\/\/\[bad" contained a ':' but was not a valid URL/],
    [['a', '', 'a'], '[service-account-issuer should not be an empty string, service-account-issuer "a" is already specified]'],
  ] as const)
    it(`issuers ${JSON.stringify(serviceAccountIssuer)} are refused`, () =>
      assert.throws(() => plan({ serviceAccountIssuer }), { message }));

  it('a file of tokens is read, for the audiences, and what is odd in it is logged', async () => {
    const { fromFile } = plan({ tokenAuthFile: 'tokens.csv', apiAudiences: ['x'] });
    assert.deepEqual(await fromFile?.authenticateToken('a', []), { user: { name: 'joe', uid: '2', groups: [] }, audiences: ['x'] });
    assert.deepEqual(warnings, ["duplicate token has been found in token file 'tokens.csv', record number '2'"]);
    assert.throws(() => plan({ tokenAuthFile: '/nowhere' }), { message: 'open /nowhere: no such file or directory' });
  });
});
