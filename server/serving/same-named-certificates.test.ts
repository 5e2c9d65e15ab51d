import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../api/base/system-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { readBody } from '../../api/client/read-body.ts';
import type { SecureTarget } from '../apiserver/services/secure-dialer.ts';
import { crossSign, loadX509, makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { createSecureDialer } from './secure-dialer.ts';

const making = { clock: systemClock, random: createSeededRandom(5) };
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;

interface Authority {
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

interface Leaf {
  readonly pem: string;
  readonly keyPEM: string;
}

const makeKeys = async () => (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;

/** An authority and certificates of one name, without the identifiers of keys that would tell them apart. */
async function makeSameNamed(
  name: string,
  options: { readonly isCA?: boolean; readonly dns?: string; readonly days?: number; readonly by?: Authority },
) {
  const { isCA = false, dns = 'ext.ns.svc', days = 1, by } = options;
  const x509 = await loadX509();
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: name,
    issuer: by ? name : 'CN=Ephemeral CA',
    notBefore: new Date(Date.now() - 2 * dayMs),
    notAfter: new Date(Date.now() + days * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    extensions: isCA
      ? [new x509.BasicConstraintsExtension(true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign)]
      : [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dns }])],
  } as Parameters<typeof x509.X509CertificateGenerator.create>[0]);
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { pem: certificate.toString('pem'), keys, keyPEM: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` };
}

describe('certificates of servers that have the name of their issuer', () => {
  const servers: https.Server[] = [];
  const dialer = createSecureDialer({ clock: systemClock });
  after(() => {
    dialer.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });
  const serve = async ({ pem, keyPEM }: Leaf, caPEM: string): Promise<{ readonly target: SecureTarget; readonly server: https.Server }> => {
    const server = https.createServer({ cert: pem, key: keyPEM }, (_request, response) => void response.end('hello'));
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port, serverName: 'ext.ns.svc', caPEM } };
  };
  const ask = async (target: SecureTarget) => {
    const signal = new AbortController().signal;
    const response = await dialer.send(target, { method: 'GET', path: '/', query: '', headers: {}, signal });
    return Buffer.from(await readBody(response.body)).toString();
  };
  const unknown = { message: 'tls: failed to verify certificate: x509: certificate signed by unknown authority' };

  for (const [what, name] of [
    ['no name', ''],
    ['a name', 'CN=webhook'],
  ] as const)
    it(`are trusted when an authority of the bundle has signed them, with ${what}`, async () => {
      const authority = await makeSameNamed(name, { isCA: true });
      const { target, server } = await serve(await makeSameNamed(name, { by: authority }), authority.pem);
      assert.equal(await ask(target), 'hello');
      const renewed = await makeSameNamed(name, { by: authority });
      server.setSecureContext({ cert: renewed.pem, key: renewed.keyPEM });
      server.closeAllConnections();
      assert.equal(await ask(target), 'hello', 'the next certificate');
    });

  it('are refused when no authority of the bundle has signed them', async () => {
    const [authority, other] = await Promise.all([makeSameNamed('', { isCA: true }), makeSameNamed('', { isCA: true })]);
    const { target } = await serve(await makeSameNamed('', { by: other }), authority.pem);
    await assert.rejects(ask(target), unknown);
    const noAuthority = await makeSameNamed('', {});
    const { target: second } = await serve(await makeSameNamed('', { by: noAuthority }), noAuthority.pem);
    await assert.rejects(ask(second), unknown, 'a certificate that is not of an authority signs nothing');
    const { target: third, server } = await serve(await makeSameNamed('', { by: authority }), authority.pem);
    assert.equal(await ask(third), 'hello');
    const replaced = await makeSameNamed('', { by: other });
    server.setSecureContext({ cert: replaced.pem, key: replaced.keyPEM });
    server.closeAllConnections();
    await assert.rejects(ask(third), unknown, 'what was verified before says nothing about another');
  });

  it('are refused when they are of another name or another time', async () => {
    const authority = await makeSameNamed('', { isCA: true });
    const { target } = await serve(await makeSameNamed('', { by: authority, dns: 'other.ns.svc' }), authority.pem);
    await assert.rejects(ask(target), { message: /certificate is valid for other\.ns\.svc, not ext\.ns\.svc$/ });
    const { target: expired } = await serve(await makeSameNamed('', { by: authority, days: -1 }), authority.pem);
    await assert.rejects(ask(expired), { message: /^tls: failed to verify certificate: x509: / });
  });
});

describe('bundles of authorities that others have signed', () => {
  it('are trusted without those', async () => {
    const [root, middle] = await Promise.all([makeAuthority('root', making), makeAuthority('middle', making)]);
    const signed = await crossSign(middle.certificatePEM, root, making);
    const spec = { commonName: 'ext', usages: ['server'], dnsNames: ['ext.ns.svc'], validityDays: 1 } as const;
    const pair = await makeCertificate(spec, middle, making);
    const server = https.createServer({ cert: pair.certificatePEM, key: pair.keyPEM }, (_request, response) => void response.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const dialer = createSecureDialer({ clock: systemClock });
    const { port } = server.address() as AddressInfo;
    const signal = new AbortController().signal;
    const ask = (caPEM: string) =>
      dialer.send(
        { host: '127.0.0.1', port, serverName: 'ext.ns.svc', caPEM },
        { method: 'GET', path: '/', query: '', headers: {}, signal },
      );
    for (const bundle of [signed, pair.certificatePEM])
      assert.equal(Buffer.from(await readBody((await ask(bundle)).body)).toString(), 'hello');
    await assert.rejects(ask(root.certificatePEM), { name: 'DialError' }, 'a server must show what stands between');
    dialer.close();
    server.close();
    server.closeAllConnections();
  });
});
