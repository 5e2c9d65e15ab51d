import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { extensionAuthentication } from '../apiserver/bootstrap/system-objects.ts';
import { eventually } from '../apiserver/testing/complete-server.ts';
import { clientCertificate, type KeyPairPEM } from '../pki/certificate-spec.ts';
import { type ClusterPKI, ensureClusterPKI } from '../pki/ensure-cluster-pki.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { createFrontProxy, type FrontProxyFlags, openFrontProxy } from './open-front-proxy.ts';
import { createPKIFiles } from './pki-files.ts';

const making = { clock: systemClock, random: createSeededRandom(1) };

describe('flags about front proxies', function () {
  this.timeout(60_000);
  let folder: string;
  let pki: ClusterPKI;
  let authority: KeyPairPEM;
  let pair: KeyPairPEM;
  let given: { readonly requestheaderClientCaFile: string };
  let shown: { readonly proxyClientCertFile: string; readonly proxyClientKeyFile: string };
  const write = async (name: string, content: string) => {
    await writeFile(path.join(folder, name), content);
    return path.join(folder, name);
  };
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'front-proxy-'));
    authority = await makeAuthority('proxies', making);
    pair = await makeCertificate(clientCertificate('aggregator'), authority, making);
    pki = await ensureClusterPKI({
      ...{ files: createPKIFiles(path.join(folder, 'pki')), logger: silentLogger, ...making, clusterDomain: 'cluster.local' },
      ...{ serviceAddresses: ['10.96.0.1'], hostNames: [], addresses: ['127.0.0.1'] },
    });
    given = { requestheaderClientCaFile: await write('ca.crt', authority.certificatePEM) };
    shown = {
      proxyClientCertFile: await write('p.crt', pair.certificatePEM),
      proxyClientKeyFile: await write('p.key', pair.keyPEM),
    };
  });
  after(() => rm(folder, { recursive: true }));
  const open = (flags: FrontProxyFlags) => openFrontProxy(flags, { clock: systemClock, logger: silentLogger });
  const proxy = async (flags: FrontProxyFlags) => createFrontProxy(await open(flags), { get: () => pki, onChange: () => () => undefined });
  const publishedBy = async (flags: FrontProxyFlags) => {
    const { frontProxyCAPEM, frontProxy } = (await proxy(flags)).published();
    return extensionAuthentication('', frontProxyCAPEM, frontProxy).data ?? {};
  };

  it('without any: the keys and names that are made', async () => {
    const made = await proxy({});
    assert.deepEqual(made.authoritiesPEM(), [pki.frontProxyCA.certificatePEM]);
    assert.equal(made.authoritiesPEM(), made.authoritiesPEM(), 'the same list as long as nothing changes');
    assert.equal(made.clientCertificate(), pki.frontProxyClient);
    assert.equal(made.followClientCertificate, undefined);
    assert.equal(made.routesToEndpoints, true);
    const data = await publishedBy({});
    assert.equal(data['requestheader-client-ca-file'], pki.frontProxyCA.certificatePEM);
    assert.equal(data['requestheader-allowed-names'], '["front-proxy-client"]');
    assert.equal(data['requestheader-username-headers'], '["X-Remote-User"]');
  });
  it('with authority and certificate: these alone, and any name', async () => {
    const both = await proxy({ ...given, ...shown });
    assert.equal(both.clientCertificate().certificatePEM, pair.certificatePEM);
    assert.deepEqual(both.trust.allowedNames, []);
    const data = await publishedBy({ ...given, ...shown, requestheaderUsernameHeaders: ['X-User', 'X-Remote-User'] });
    assert.equal(data['requestheader-client-ca-file']?.trim(), authority.certificatePEM.trim());
    assert.equal(data['requestheader-allowed-names'], '[]');
    assert.equal(data['requestheader-username-headers'], '["X-User","X-Remote-User"]');
  });
  it('with an authority alone: extension servers also believe the certificate that was made', async () => {
    const data = await publishedBy({ ...given, requestheaderAllowedNames: ['aggregator'] });
    assert.equal(data['requestheader-client-ca-file']?.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.equal(data['requestheader-allowed-names'], '["aggregator","front-proxy-client"]');
    assert.deepEqual((await proxy({ ...given, requestheaderAllowedNames: ['aggregator'] })).trust.allowedNames, ['aggregator']);
  });
  it('files are followed', async () => {
    const setup = await open({ ...given, ...shown });
    const end = new AbortController();
    let changes = 0;
    const following = [setup.followAuthorities(() => changes++, end.signal), setup.followClientCertificate?.(end.signal)];
    const other = await makeAuthority('others', making);
    await write('ca.crt', other.certificatePEM);
    await eventually('the other authority', async () => changes === 1);
    assert.equal(setup.authoritiesPEM()?.[0]?.trim(), other.certificatePEM.trim());
    const renewed = await makeCertificate(clientCertificate('renewed'), other, making);
    await write('p.key', renewed.keyPEM);
    await write('p.crt', renewed.certificatePEM);
    await eventually('the other certificate', async () => setup.clientCertificate()?.certificatePEM === renewed.certificatePEM);
    end.abort();
    await Promise.all(following);
  });
  const mistakes: [string, () => FrontProxyFlags, RegExp][] = [
    ['a certificate without a key', () => ({ proxyClientCertFile: 'x' }), /go together/],
    [
      'a missing certificate',
      () => ({ ...shown, proxyClientCertFile: '/no/such' }),
      /--proxy-client-cert-file: open \/no\/such: no such file/,
    ],
    ['a missing authority', () => ({ requestheaderClientCaFile: '/no/such' }), /--requestheader-client-ca-file: open \/no\/such/],
    ['no authority', () => ({ requestheaderClientCaFile: shown.proxyClientKeyFile }), /holds no certificate/],
    ['an empty name', () => ({ requestheaderGroupHeaders: [''] }), /empty value in "requestheader-group-headers"/],
  ];
  for (const [name, flags, expected] of mistakes) it(`mistakes: ${name}`, () => assert.rejects(open(flags()), expected));
});
