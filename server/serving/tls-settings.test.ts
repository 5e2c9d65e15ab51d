import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import tls from 'node:tls';
import 'reflect-metadata';
import { X509CertificateGenerator } from '@peculiar/x509';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { insecureSuites, parseTLSSettings, preferredSuites, requireHTTP2Suite, type TLSFlags } from '../../api/base/tls-settings.ts';
import type { APIResponse, Transport } from '../../api/client/transport.ts';
import type { KeyPairPEM } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { chooseCertificate, type NamedCertificate } from './named-certificates.ts';
import { type ServeOptions, serve, type ServingEndpoint } from './serve.ts';

const making = { clock: systemClock, random: createSeededRandom(11) };
const answer: APIResponse = { status: 200, headers: {}, body: { kind: 'bytes', bytes: Buffer.from('here') } };

async function makeRSACertificate(): Promise<KeyPairPEM> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({ name: 'CN=rsa', keys, signingAlgorithm: algorithm });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    certificatePEM: certificate.toString('pem'),
    keyPEM: `-----BEGIN PRIVATE KEY-----\n${(key.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`,
  };
}

describe('TLS of the serving port', function () {
  this.timeout(60_000);
  let authority: KeyPairPEM;
  let ecdsa: KeyPairPEM;
  let rsa: KeyPairPEM;
  const certificateOf = (commonName: string, dnsNames: readonly string[]) =>
    makeCertificate({ commonName, dnsNames, usages: ['server'], validityDays: 1 }, authority, making);
  before(async () => {
    authority = await makeAuthority('ca', making);
    ecdsa = await certificateOf('kube-apiserver', ['localhost', 'both.test']);
    rsa = await makeRSACertificate();
  });

  async function withServer(options: Partial<ServeOptions>, use: (endpoint: ServingEndpoint) => Promise<void>): Promise<void> {
    const endpoint = await serve({
      ...{ transport: async () => answer, host: '127.0.0.1', port: 0, certificate: ecdsa, clientCAsPEM: [authority.certificatePEM] },
      ...{ clock: systemClock, logger: silentLogger },
      ...options,
    });
    try {
      await use(endpoint);
    } finally {
      await endpoint.close(0);
    }
  }

  interface Connected {
    readonly protocol: string | null;
    readonly suite: string;
    readonly subject: string;
  }

  /** The result of the handshake; the error's code where it failed. */
  async function connect(port: number, options: tls.ConnectionOptions = {}): Promise<Connected | string> {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    try {
      await once(socket, 'secureConnect');
      const { CN: subject = '' } = socket.getPeerCertificate().subject;
      return { protocol: socket.getProtocol(), suite: socket.getCipher().standardName, subject: String(subject) };
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    } finally {
      socket.destroy();
    }
  }

  const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
  const minima: [flag: string, allowed: readonly string[]][] = [
    ['', ['TLSv1.2', 'TLSv1.3']],
    ['VersionTLS10', versions],
    ['VersionTLS11', ['TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    ['VersionTLS12', ['TLSv1.2', 'TLSv1.3']],
    ['VersionTLS13', ['TLSv1.3']],
  ];
  for (const [tlsMinVersion, allowed] of minima) {
    it(`--tls-min-version '${tlsMinVersion}' allows ${allowed.join()}`, () =>
      withServer({ tls: parseTLSSettings({ tlsMinVersion }) }, async ({ port }) => {
        for (const version of versions) {
          const found = await connect(port, { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' });
          assert.equal(
            typeof found === 'object' && found.protocol === version,
            allowed.includes(version),
            `${version}: ${JSON.stringify(found)}`,
          );
        }
      }));
  }

  it('offers what Go offers, and nothing else, where no suites are named', () =>
    withServer({}, async (ofECDSA) => {
      await withServer({ certificate: rsa }, async (ofRSA) => {
        const offered = [];
        for (const cipher of tls.getCiphers()) {
          if (cipher.startsWith('tls_')) continue;
          for (const { port } of [ofECDSA, ofRSA]) {
            const found = await connect(port, { maxVersion: 'TLSv1.2', ciphers: `${cipher.toUpperCase()}:@SECLEVEL=0` });
            if (typeof found === 'object') offered.push(found.suite);
          }
        }
        const expected = preferredSuites.filter((name) => name.startsWith('TLS_ECDHE') && !name.endsWith('POLY1305'));
        assert.deepEqual(offered.toSorted(), expected);
      });
    }));

  for (const name of [...preferredSuites, ...insecureSuites]) {
    it(`--tls-cipher-suites ${name} is the only one up to TLS 1.2`, () =>
      withServer(
        { certificate: name.includes('ECDSA') ? ecdsa : rsa, tls: parseTLSSettings({ tlsCipherSuites: [name] }) },
        async ({ port }) => {
          const found = await connect(port, { maxVersion: 'TLSv1.2', ciphers: 'ALL:@SECLEVEL=0' });
          const standard = name.endsWith('POLY1305') ? `${name}_SHA256` : name;
          if (/^TLS_(?:AES|CHACHA20)/.test(name)) assert.equal(typeof found, 'string');
          else assert.equal(typeof found === 'object' ? found.suite : found, standard);
          const newest = await connect(port);
          assert.equal(typeof newest === 'object' && newest.protocol, 'TLSv1.3');
        },
      ));
  }

  it('takes the curves of --tls-curve-preferences', () =>
    withServer({ tls: parseTLSSettings({ tlsCurvePreferences: [24] }) }, async ({ port }) => {
      assert.equal(typeof (await connect(port, { ecdhCurve: 'P-384' })), 'object');
      assert.equal(typeof (await connect(port, { ecdhCurve: 'P-256' })), 'string');
    }));

  const refused: [TLSFlags, string][] = [
    [{ tlsCipherSuites: ['TLS_FOO'] }, "Cipher suite TLS_FOO not supported or doesn't exist"],
    [{ tlsCipherSuites: ['tls_aes_128_gcm_sha256'] }, "Cipher suite tls_aes_128_gcm_sha256 not supported or doesn't exist"],
    [{ tlsCipherSuites: ['TLS_RSA_WITH_RC4_128_SHA'] }, 'Cipher suite TLS_RSA_WITH_RC4_128_SHA is too weak to be supported'],
    [{ tlsMinVersion: 'TLS1.2' }, 'unknown tls version "TLS1.2"'],
    [{ tlsCurvePreferences: [0] }, 'curve preference 0 is out of range (must be 1-65535)'],
    [{ tlsCurvePreferences: [23, 23] }, 'duplicate curve preference 23'],
    [{ tlsCurvePreferences: [9] }, 'curve preference 9 is not supported'],
  ];
  for (const [flags, message] of refused) it(`refuses: ${message}`, () => assert.throws(() => parseTLSSettings(flags), { message }));

  it('refuses suites without the one of HTTP/2, unless TLS 1.3 is the least', () => {
    const tlsCipherSuites = ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'];
    assert.throws(
      () => requireHTTP2Suite({ tlsCipherSuites }),
      /^Error: error configuring http2: http2: TLSConfig\.CipherSuites is missing/,
    );
    requireHTTP2Suite({ tlsCipherSuites, tlsMinVersion: 'VersionTLS13' });
    requireHTTP2Suite({ tlsCipherSuites: [...tlsCipherSuites, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] });
    requireHTTP2Suite({});
  });

  it('chooses the certificate by the name that a client sends, or by the address that it has connected to', async () => {
    const named: NamedCertificate[] = [
      { ...(await certificateOf('first', ['a.test', 'both.test', '*.wild.test'])), names: [] },
      { ...(await certificateOf('second', ['a.test', 'own.test'])), names: ['b.test', '*.c.test', '127.0.0.2'] },
      { ...(await certificateOf('third', ['b.test'])), names: ['b.test', 'a.test'] },
      { ...(await certificateOf('10.0.0.1', [])), names: [] },
    ];
    await withServer({ named, host: '0.0.0.0' }, async (endpoint) => {
      const subjectOf = async (servername: string, host = '127.0.0.1') => {
        const found = await connect(endpoint.port, { host, ...(servername === '' ? {} : { servername }) });
        return typeof found === 'object' ? found.subject : found;
      };
      assert.equal(await subjectOf(''), 'kube-apiserver');
      assert.equal(await subjectOf('', '127.0.0.2'), 'second');
      assert.equal(await subjectOf('localhost', '127.0.0.2'), 'kube-apiserver');
      assert.equal(await subjectOf('unknown.test'), 'kube-apiserver');
      assert.equal(await subjectOf('first'), 'first');
      assert.equal(await subjectOf('A.TEST'), 'third', 'a name that was given comes before one in a certificate');
      assert.equal(await subjectOf('b.test'), 'second', 'the first certificate comes before later ones');
      assert.equal(await subjectOf('both.test'), 'first');
      assert.equal(await subjectOf('x.wild.test'), 'first');
      assert.equal(await subjectOf('x.y.wild.test'), 'kube-apiserver');
      assert.equal(await subjectOf('x.c.test'), 'second');
      assert.equal(await subjectOf('own.test'), 'second', 'a certificate that is good for the name');
      const renewed = await certificateOf('renewed', ['localhost']);
      endpoint.setCertificate(renewed, { named: named.slice(0, 1) });
      assert.equal(await subjectOf(''), 'renewed');
      assert.equal(await subjectOf('', '127.0.0.2'), 'renewed');
      assert.equal(await subjectOf('b.test'), 'renewed');
      assert.equal(await subjectOf('a.test'), 'first');
      assert.throws(() => endpoint.setCertificate({ ...renewed, keyPEM: ecdsa.keyPEM }));
      assert.equal(await subjectOf('a.test'), 'first');
    });
  });

  it('serves with the default where a client sends a name that is none', async () => {
    const own = await certificateOf('own', ['own.test']);
    const choice = chooseCertificate(ecdsa, [{ ...own, names: [] }], ({ certificatePEM }) => certificatePEM === own.certificatePEM);
    for (const name of [
      'a\0b',
      'own.test\0',
      '',
      '.',
      '..',
      '*',
      '.test',
      '*.test',
      ' ',
      'ü',
      'x'.repeat(70_000),
      '__proto__',
      'constructor',
    ])
      assert.equal(choice.ofName(name), false, name.slice(0, 20));
    assert.equal(choice.ofName('own.test.'), true);
    await withServer({ named: [{ ...own, names: [] }] }, async ({ port }) => {
      for (const servername of ['..', '*', 'ü', ' ', '.test']) {
        const found = await connect(port, { servername });
        assert.equal(typeof found === 'object' ? found.subject : 'refused', 'kube-apiserver', servername);
      }
    });
  });

  it('keeps suites and versions when the certificate changes', () =>
    withServer({ tls: parseTLSSettings({ tlsMinVersion: 'VersionTLS13' }) }, async (endpoint) => {
      endpoint.setCertificate(await certificateOf('renewed', ['localhost']));
      assert.equal(typeof (await connect(endpoint.port, { maxVersion: 'TLSv1.2' })), 'string');
      assert.equal(typeof (await connect(endpoint.port)), 'object');
    }));

  it('asks for client certificates whichever certificate was chosen, and resumes sessions', async () => {
    const named = [{ ...(await certificateOf('named', ['a.test'])), names: [] }];
    const client = await makeCertificate({ commonName: 'me', usages: ['client'], validityDays: 1 }, authority, making);
    let asMe = 0;
    const own = new X509Certificate(client.certificatePEM).raw;
    const transport: Transport = async ({ peer }) => {
      if (peer?.certificate && Buffer.compare(peer.certificate, own) === 0) asMe++;
      return answer;
    };
    await withServer({ named, transport }, async ({ port }) => {
      for (const servername of ['', 'a.test', 'localhost']) {
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
          let session: Buffer | undefined;
          for (const isResumed of [false, true]) {
            const socket = tls.connect({
              ...{ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion, ALPNProtocols: ['http/1.1'] },
              ...(servername === '' ? {} : { servername }),
              ...{ key: client.keyPEM, cert: client.certificatePEM },
              ...(session ? { session } : {}),
            });
            socket.on('session', (one: Buffer) => (session = one));
            await once(socket, 'secureConnect');
            const wasReused = socket.isSessionReused();
            socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
            let text = '';
            socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
            await once(socket, 'close');
            assert.match(text, /^HTTP\/1\.1 200 /);
            assert.equal(wasReused, isResumed, `${servername} ${maxVersion}`);
          }
        }
      }
    });
    assert.equal(asMe, 12);
  });

  it('sends HTTP/2 clients away by chance, and answers what they have asked', () =>
    withServer({ goaway: { chance: 1, random: createSeededRandom(3) } }, async ({ port }) => {
      const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
      const goaway = once(session, 'goaway');
      const stream = session.request({ ':path': '/' });
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await once(stream, 'end');
      assert.equal(text, 'here');
      const [code] = await goaway;
      assert.equal(code, 0);
      session.close();
    }));

  it('tells HTTP/2 clients how many requests they may have under way', async () => {
    for (const [maxStreamsPerConnection, expected] of [
      [0, 1000],
      [7, 7],
    ] as const) {
      await withServer({ maxStreamsPerConnection }, async ({ port }) => {
        const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
        const [settings] = (await once(session, 'remoteSettings')) as [http2.Settings];
        assert.equal(settings.maxConcurrentStreams, expected);
        session.close();
      });
    }
  });
});
