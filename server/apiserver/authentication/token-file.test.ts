import assert from 'node:assert/strict';
import { parseTokenFile, tokenFileAuthenticator } from './token-file.ts';

describe('a file of static tokens', () => {
  const read = (text: string) => parseTokenFile(text, 't');

  it('has a user, with or without groups, in each line', () => {
    const { users, warnings } = read('secret,jane,1\r\n\n"t,""2""","joe\nx",2,"dev,ops"\nlast, user ,,\n');
    assert.deepEqual(
      [...users],
      [
        ['secret', { name: 'jane', uid: '1', groups: [] }],
        ['t,"2"', { name: 'joe\nx', uid: '2', groups: ['dev', 'ops'] }],
        ['last', { name: ' user ', uid: '', groups: [] }],
      ],
    );
    assert.deepEqual(warnings, []);
    assert.equal(read('').users.size, 0);
  });

  it('is said to have empty and repeated tokens, of which the last counts', () => {
    const { users, warnings } = read('a,jane,1\n,joe,2\na,jim,3');
    assert.deepEqual(users.get('a')?.name, 'jim');
    assert.deepEqual(
      [users.has(''), warnings],
      [
        false,
        [
          `empty token has been found in token file 't', record number '2'`,
          `duplicate token has been found in token file 't', record number '3'`,
        ],
      ],
    );
  });

  // The messages are those of a kube-apiserver.
  for (const [text, message] of [
    ['tok,user\n', "token file 't' must have at least 3 columns (token, user name, user uid), found 2"],
    ['# comment\n', "token file 't' must have at least 3 columns (token, user name, user uid), found 1"],
    ['tok,us"er,1\n', 'parse error on line 1, column 7: bare " in non-quoted-field'],
    ['tok,"us"er,1\n', 'parse error on line 1, column 8: extraneous or missing " in quoted-field'],
    ['tok,"user,1\n', 'parse error on line 1, column 13: extraneous or missing " in quoted-field'],
  ] as const)
    it(`is refused: ${JSON.stringify(text)}`, () => assert.throws(() => read(text), { message }));

  it('is for the audiences of the API server', async () => {
    const tokens = tokenFileAuthenticator(read('a,jane,1').users, ['api', 'old']);
    assert.deepEqual((await tokens.authenticateToken('a', []))?.audiences, ['api', 'old']);
    assert.deepEqual((await tokens.authenticateToken('a', ['vault', 'old']))?.audiences, ['old']);
    assert.equal(await tokens.authenticateToken('a', ['vault']), undefined);
    assert.equal(await tokens.authenticateToken('A', []), undefined);
    assert.equal(await tokens.authenticateToken('', []), undefined);
  });
});
