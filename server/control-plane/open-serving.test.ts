import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { waitFor } from '../../api/client/wait-for.ts';
import { parseNamedCertificate } from '../cli/flags/serving-options.ts';
import type { KeyPairPEM } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import type { CertificateChange } from '../serving/serve.ts';
import { isServedName, openServing, type ServingFlags, withGivenCertificates } from './open-serving.ts';

const making = { clock: systemClock, random: createSeededRandom(5) };
const dependencies = { clock: systemClock, logger: silentLogger };

describe('how the serving port is set up', () => {
  let folder: string;
  let authority: KeyPairPEM;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'serving-'));
    authority = await makeAuthority('ca', making);
  });
  after(() => rm(folder, { recursive: true }));

  async function write(name: string): Promise<KeyPairPEM> {
    const pair = await makeCertificate(
      { commonName: name, dnsNames: [`${name}.test`], usages: ['server'], validityDays: 1 },
      authority,
      making,
    );
    await writeFile(path.join(folder, `${name}.crt`), pair.certificatePEM);
    await writeFile(path.join(folder, `${name}.key`), pair.keyPEM);
    return pair;
  }
  const at = (file: string) => path.join(folder, file);

  const named: [text: string, expected: object | string][] = [
    ['foo.crt,foo.key', { certFile: 'foo.crt', keyFile: 'foo.key', names: [] }],
    ['  foo.crt , foo.key    ', { certFile: 'foo.crt', keyFile: 'foo.key', names: [] }],
    ['foo.crt,foo.key:abc', { certFile: 'foo.crt', keyFile: 'foo.key', names: ['abc'] }],
    ['foo.crt,foo.key: abc, *.d.e ', { certFile: 'foo.crt', keyFile: 'foo.key', names: ['abc', '*.d.e'] }],
    ['foo.crt,foo.key:', 'empty names list is not allowed'],
    ['', 'expected comma separated certificate and key file paths'],
    ['a,b,c', 'expected comma separated certificate and key file paths'],
  ];
  for (const [text, expected] of named) {
    it(`--tls-sni-cert-key '${text}' ${typeof expected === 'string' ? 'is refused' : 'is read'}`, () => {
      if (typeof expected === 'string') assert.throws(() => parseNamedCertificate(text), { message: expected });
      else assert.deepEqual(parseNamedCertificate(text), expected);
    });
  }

  it('has no certificates of its own where there are no flags', async () => {
    const setup = await openServing({ tlsSan: ['a.test', '192.0.2.7', '2001:db8::1'] }, dependencies);
    assert.equal(setup.certificate(), undefined);
    assert.deepEqual(setup.named(), []);
    assert.deepEqual(setup.extraNames, { hostNames: ['a.test'], addresses: ['192.0.2.7', '2001:db8::1'] });
    assert.deepEqual([setup.tls.minVersion, setup.maxStreamsPerConnection, setup.goawayChance], ['TLSv1.2', 0, 0]);
  });

  it('takes over certificates that change, in place of the one that is made', async () => {
    const [first, sni, made] = [await write('first'), await write('sni'), await write('made')];
    const flags: ServingFlags = {
      ...{ tlsCertFile: at('first.crt'), tlsPrivateKeyFile: at('first.key') },
      tlsSniCertKey: [{ certFile: at('sni.crt'), keyFile: at('sni.key'), names: ['x.test'] }],
    };
    const setup = await openServing(flags, dependencies);
    const served: { certificate: string; change: CertificateChange }[] = [];
    const endpoint = withGivenCertificates(
      { setCertificate: ({ certificatePEM }, change = {}) => void served.push({ certificate: certificatePEM, change }) },
      setup,
    );
    endpoint.setCertificate(made, { clientCAsPEM: ['ca'] });
    assert.equal(served[0]?.certificate, first.certificatePEM);
    assert.deepEqual(served[0]?.change, { clientCAsPEM: ['ca'], named: [{ ...sni, names: ['x.test'] }] });
    const ending = new AbortController();
    const following = setup.follow(() => endpoint.refresh(), ending.signal);
    await writeFile(at('first.crt'), 'nonsense');
    const renewed = await write('first');
    const changed = async () => (served.at(-1)?.certificate === renewed.certificatePEM ? true : undefined);
    await waitFor('the renewed certificate', changed, { withinSeconds: 20, everyMs: 20, clock: systemClock, signal: ending.signal });
    assert.ok(served.every(({ certificate }) => [first.certificatePEM, renewed.certificatePEM].includes(certificate)));
    assert.deepEqual(served.at(-1)?.change.clientCAsPEM, undefined, 'authorities stay as they are');
    ending.abort();
    await following;
    assert.equal(isServedName([made.certificatePEM, sni.certificatePEM], 'sni.test'), true);
    assert.equal(isServedName([made.certificatePEM, sni.certificatePEM], 'other.test'), false);
  }).timeout(30_000);

  it('refuses files that do not fit', async () => {
    await write('one');
    await write('two');
    const refused: [ServingFlags, RegExp][] = [
      [{ tlsCertFile: at('one.crt') }, /^missing filename for serving cert/],
      [{ tlsCertFile: at('none.crt'), tlsPrivateKeyFile: at('one.key') }, /^open .*none\.crt: no such file or directory$/],
      [{ tlsCertFile: at('one.crt'), tlsPrivateKeyFile: at('two.key') }, /tls: private key does not match public key$/],
      [{ tlsSniCertKey: [{ certFile: at('one.key'), keyFile: at('one.key'), names: [] }] }, /one\.key, .*one\.key: /],
      [{ tlsMinVersion: 'x' }, /^unknown tls version "x"$/],
      [{ tlsCipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA'] }, /^error configuring http2/],
    ];
    for (const [flags, message] of refused) await assert.rejects(openServing(flags, dependencies), { message });
  });
});
