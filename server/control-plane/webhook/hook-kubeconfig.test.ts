import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createHookCaller, withHookUsers } from '../../apiserver/webhooks/hook-caller.ts';
import { findHookUser } from '../../apiserver/webhooks/hook-users.ts';
import { clientCertificate, nodeServingCertificate } from '../../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../../pki/make-certificate.ts';
import { createSecureDialer } from '../../serving/secure-dialer.ts';
import { readAdmissionConfiguration } from '../read-admission-configuration.ts';
import { openHookUsers } from './hook-kubeconfig.ts';

describe('credentials for admission webhooks', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hook-users-'));
  });
  after(() => rm(folder, { recursive: true }));
  const write = async (name: string, content: unknown) => {
    const file = path.join(folder, name);
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };

  const names = new Set(['a.b.svc', 'a.b.svc:443', 'c.d.svc', '*.svc', '*.example.com:8443', 'exact.example.com', '[::1]:9443', 'mine']);
  const cases: [string, number, string | undefined][] = [
    ['a.b.svc', 443, 'a.b.svc:443'],
    ['c.d.svc', 443, 'c.d.svc'],
    ['x.d.svc', 443, '*.svc'],
    ['c.d.svc', 8443, 'mine'],
    ['hook.example.com', 8443, '*.example.com:8443'],
    ['exact.example.com', 443, 'exact.example.com'],
    ['exact.example.com', 8443, '*.example.com:8443'],
    ['::1', 9443, '[::1]:9443'],
    ['localhost', 443, 'mine'],
  ];
  for (const [host, port, expected] of cases)
    it(`of ${host} at port ${port}`, () => assert.equal(findHookUser(names, host, port, 'mine'), expected));
  it('of the user * before that of the context, and of none', () => {
    assert.equal(findHookUser(new Set([...names, '*']), 'localhost', 443, 'mine'), '*');
    assert.equal(findHookUser(names, 'localhost', 443, undefined), undefined);
  });

  it('are read anew from their files, after a minute', async () => {
    const clock = createManualClock();
    const token = await write('token', 'first\n');
    const users = openHookUsers(await write('config', { users: [{ name: '*', user: { tokenFile: 'token' } }] }), { clock });
    assert.deepEqual(await users.find('h', 443), { authorization: 'Bearer first' });
    await writeFile(token, 'second');
    assert.deepEqual(await users.find('h', 443), { authorization: 'Bearer first' });
    await clock.advance(60_000);
    assert.deepEqual(await users.find('h', 443), { authorization: 'Bearer second' });
    await rm(token);
    await clock.advance(60_000);
    await assert.rejects(users.find('h', 443), /the credentials for the webhook cannot be read: open .*token/);
    await writeFile(token, 'third');
    assert.deepEqual(await users.find('h', 443), { authorization: 'Bearer third' });
  });

  it('are shown to the webhook: a certificate and a header', async () => {
    const making = { clock: systemClock, random: createSeededRandom(1) };
    const authority = await makeAuthority('hooks', making);
    const own = await makeCertificate(nodeServingCertificate('localhost', [], ['127.0.0.1']), authority, making);
    const client = await makeCertificate(clientCertificate('the-api-server'), authority, making);
    const seen: unknown[] = [];
    const server = https.createServer(
      { cert: own.certificatePEM, key: own.keyPEM, ca: authority.certificatePEM, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        seen.push([(request.socket as TLSSocket).getPeerCertificate().subject?.CN, request.headers.authorization]);
        response.end('{}');
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const kubeconfig = await write('hooks', {
      users: [
        {
          name: `127.0.0.1:${port}`,
          user: {
            'client-certificate-data': base64(client.certificatePEM),
            'client-key-data': base64(client.keyPEM),
            username: 'u',
            password: 'p',
          },
        },
      ],
    });
    const dialer = createSecureDialer({ clock: systemClock });
    const plain = createHookCaller({ services: { send: () => Promise.reject(new Error('no Services')) }, dialer, clock: systemClock });
    const call = (hooks: typeof plain) =>
      hooks.post({ url: `https://127.0.0.1:${port}/`, caBundle: base64(authority.certificatePEM) }, Buffer.from('{}'), {
        ...{ signal: new AbortController().signal, timeoutMs: 20_000, userAgent: 'test' },
      });
    await call(withHookUsers(plain, openHookUsers(kubeconfig, { clock: systemClock })));
    await call(plain);
    assert.deepEqual(seen, [
      ['the-api-server', `Basic ${base64('u:p')}`],
      [undefined, undefined],
    ]);
    dialer.close();
    server.closeAllConnections();
    server.close();
  });

  const configured = (plugin: object) =>
    write('admission.yaml', { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins: [plugin] });
  const webhookConfiguration = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration' };
  it('come by --admission-control-config-file, for each of the two plugins', async () => {
    const kubeConfigFile = await write('users', { users: [{ name: '*', user: { token: 't' } }] });
    const configuration = { ...webhookConfiguration, kubeConfigFile };
    const { mutatingHookUsers, validatingHookUsers } = readAdmissionConfiguration(
      await configured({ name: 'ValidatingAdmissionWebhook', configuration }),
    );
    assert.equal(mutatingHookUsers, undefined);
    assert.deepEqual(await validatingHookUsers?.find('h', 443), { authorization: 'Bearer t' });
    const other = readAdmissionConfiguration(await configured({ name: 'MutatingAdmissionWebhook', configuration }));
    assert.deepEqual(await other.mutatingHookUsers?.find('h', 443), { authorization: 'Bearer t' });
  });
  const mistakes: [string, object, RegExp][] = [
    [
      'a relative path',
      { ...webhookConfiguration, kubeConfigFile: 'x' },
      /kubeConfigFile: Invalid value: "x": must be an absolute file path/,
    ],
    ['another field', { ...webhookConfiguration, kubeconfig: '/x' }, /unknown field "kubeconfig"/],
    ['another kind', { ...webhookConfiguration, kind: 'WebhookAdmission' }, /no kind "WebhookAdmission" is registered/],
    ['a missing file', { ...webhookConfiguration, kubeConfigFile: '/does/not/exist' }, /ENOENT/],
  ];
  for (const [name, configuration, expected] of mistakes)
    it(`mistakes: ${name}`, async () => {
      const file = await configured({ name: 'MutatingAdmissionWebhook', configuration });
      assert.throws(() => readAdmissionConfiguration(file), expected);
    });
  it('mistakes: a way of authentication that is not supported', async () => {
    const file = await write('exec', { users: [{ name: '*', user: { exec: { command: 'x' } } }] });
    assert.throws(() => openHookUsers(file, { clock: systemClock }), /user\.exec is not supported for webhooks/);
  });
});
