import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls from 'node:tls';
import { systemClock } from '../../../api/base/system-clock.ts';
import { parseTLSSettings, type TLSFlags } from '../../../api/base/tls-settings.ts';
import { makeSelfSignedCertificate } from './self-signed-certificate.ts';
import { startTestKubeletServer } from './testing/test-kubelet-server.ts';

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

describe("TLS of the kubelet's API", () => {
  /** The suite of a handshake in that version; undefined where it fails. */
  async function suiteOf(port: number, version: tls.SecureVersion): Promise<string | undefined> {
    const options = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0', rejectUnauthorized: false };
    const socket = tls.connect({ port, host: '127.0.0.1', ...options });
    try {
      await once(socket, 'secureConnect');
      return socket.getCipher().standardName;
    } catch {
      return undefined;
    } finally {
      socket.destroy();
    }
  }

  const aes256 = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';
  const cases: [flags: TLSFlags, suites: readonly (RegExp | undefined)[]][] = [
    [{}, [undefined, undefined, /^TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256$/, /^TLS_AES/]],
    [{ tlsMinVersion: 'VersionTLS10' }, [/_CBC_SHA$/, /_CBC_SHA$/, /_GCM_SHA256$/, /^TLS_AES/]],
    [{ tlsMinVersion: 'VersionTLS13' }, [undefined, undefined, undefined, /^TLS_AES/]],
    [{ tlsCipherSuites: [aes256] }, [undefined, undefined, new RegExp(`^${aes256}$`), /^TLS_AES/]],
  ];
  for (const [flags, suites] of cases) {
    it(`is as ${JSON.stringify(flags)} says, with a renewed certificate too`, async () => {
      const server = await startTestKubeletServer({ runtimeURL: 'http://127.0.0.1:1/', permits: () => true, tls: parseTLSSettings(flags) });
      try {
        for (const isRenewed of [false, true]) {
          if (isRenewed) server.useCertificate(await makeSelfSignedCertificate('node', ['127.0.0.1'], systemClock));
          for (const [index, version] of versions.entries()) {
            const suite = await suiteOf(server.port, version);
            const expected = suites[index];
            if (expected) assert.match(suite ?? '', expected);
            else assert.equal(suite, undefined, version);
          }
        }
      } finally {
        await server.close();
      }
    });
  }
});
