import assert from 'node:assert/strict';
import { readResolverConfiguration } from './resolver-configuration.ts';

const standard = '/etc/resolv.conf';
const behind = '/run/systemd/resolve/resolv.conf';

const cases: readonly (readonly [what: string, files: Readonly<Record<string, string>>, flag: string | undefined, expected: string])[] = [
  ['the machine has servers', { [standard]: 'nameserver 192.0.2.1', [behind]: 'nameserver 192.0.2.2' }, undefined, standard],
  ['a stub and servers behind it', { [standard]: 'nameserver 127.0.0.53\n', [behind]: 'nameserver 192.0.2.2\n' }, undefined, behind],
  ['a stub of IPv6', { [standard]: 'nameserver ::1', [behind]: 'nameserver 2001:db8::1' }, undefined, behind],
  [
    'a stub beside a server',
    { [standard]: 'nameserver 127.0.0.1\nnameserver 192.0.2.1', [behind]: 'nameserver 192.0.2.2' },
    undefined,
    standard,
  ],
  ['a stub that has no servers yet', { [standard]: 'nameserver 127.0.0.53', [behind]: '# none' }, undefined, standard],
  ['a stub behind a stub', { [standard]: 'nameserver 127.0.0.53', [behind]: 'nameserver 127.0.0.1' }, undefined, standard],
  ['another local resolver', { [standard]: 'nameserver 127.0.0.1' }, undefined, standard],
  ['no file', {}, undefined, standard],
  ['the flag', { [standard]: 'nameserver 192.0.2.1', '/x': 'nameserver 127.0.0.1' }, '/x', '/x'],
  ['none, by the flag', { [standard]: 'nameserver 192.0.2.1' }, '', ''],
];

describe('resolver configuration of the node', () => {
  for (const [what, files, flag, expected] of cases)
    it(what, async () => {
      const found = await readResolverConfiguration({ findText: async (path) => files[path] }, flag);
      assert.deepEqual(found, { file: expected, text: files[expected] ?? '' });
    });
});
