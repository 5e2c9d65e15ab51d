import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { forgeToken, goodClaims, startTestIssuer, type TestIssuer } from '../../../server/apiserver/authentication/testing/test-issuer.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';

describe('kubectl with the token of an issuer, of a webhook, and without any', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  let issuer: TestIssuer;
  let webhook: http.Server;
  let folder: string;
  const configuration = () => path.join(folder, 'authentication.yaml');
  const configure = (prefix: string) =>
    writeFileSync(
      configuration(),
      JSON.stringify({
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'AuthenticationConfiguration',
        jwt: [
          {
            issuer: { url: issuer.url, certificateAuthority: issuer.ca, audiences: ['my-client'] },
            claimMappings: {
              username: { expression: `'${prefix}' + claims.sub` },
              groups: { claim: 'roles', prefix: 'oidc:' },
              extra: [{ key: 'example.com/team', valueExpression: "claims.?team.orValue('')" }],
            },
            userValidationRules: [{ expression: "!user.username.startsWith('system:')", message: 'reserved' }],
          },
        ],
        anonymous: { enabled: true, conditions: [{ path: '/livez' }] },
      }),
    );

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'kubets-authentication-'));
    issuer = await startTestIssuer();
    configure('oidc:');
    webhook = http.createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { apiVersion, spec } = JSON.parse(text) as { apiVersion: string; spec: { token: string } };
        const isKnown = spec.token === 'opaque';
        const status = isKnown ? { authenticated: true, user: { username: 'webhook-user', groups: ['robots'] } } : { authenticated: false };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ apiVersion, kind: 'TokenReview', status }));
      });
    });
    await new Promise<void>((resolve) => {
      webhook.listen(0, '127.0.0.1', resolve);
    });
    const kubeconfig = path.join(folder, 'webhook.kubeconfig');
    const server = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/review`;
    writeFileSync(
      kubeconfig,
      `clusters: [{ name: c, cluster: { server: "${server}" } }]\ncontexts: [{ name: x, context: { cluster: c } }]\ncurrent-context: x\n`,
    );
    cluster = await startCluster({
      node: false,
      extraFlags: [
        ...['--authentication-config', configuration(), '--authentication-token-webhook-config-file', kubeconfig],
        ...['--authentication-token-webhook-version', 'v1', '--log-level', 'info'],
      ],
    });
  });
  after(async () => {
    await cluster?.stop();
    issuer?.close();
    webhook?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  /** kubectl with nothing but that token. */
  const withToken = (token: string, ...args: readonly string[]) => {
    const kubeconfig = path.join(folder, 'token.kubeconfig');
    const ca = readFileSync(path.join(cluster.dataDir, 'pki/ca.crt')).toString('base64');
    writeFileSync(
      kubeconfig,
      `clusters: [{ name: c, cluster: { server: "https://127.0.0.1:${cluster.port}", certificate-authority-data: ${ca} } }]
users: [{ name: u, user: { token: ${token} } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
`,
    );
    return cluster.kubectl(['--kubeconfig', kubeconfig, ...args]);
  };
  const whoAmI = async (token: string) => {
    const { stdout, stderr, code } = await withToken(token, 'auth', 'whoami', '-o', 'json');
    return code === 0 ? (JSON.parse(stdout) as { status: { userInfo: Record<string, unknown> } }).status.userInfo : stderr;
  };
  const claims = (more: Record<string, unknown> = {}) => goodClaims(issuer, { roles: ['dev'], team: 'blue', jti: 'id-1', ...more });
  const statusOf = (url: string) =>
    new Promise<number>((resolve, reject) => {
      const ca = readFileSync(path.join(cluster.dataDir, 'pki/ca.crt'));
      https
        .get(`https://127.0.0.1:${cluster.port}${url}`, { ca, agent: false }, (response) => resolve(response.resume().statusCode ?? 0))
        .on('error', reject);
    });

  it('says who one is, as the mappings say it', async () => {
    assert.deepEqual(await whoAmI(await issuer.sign(claims())), {
      username: 'oidc:jane',
      groups: ['oidc:dev', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=id-1'], 'example.com/team': ['blue'] },
    });
    assert.deepEqual(await whoAmI('opaque'), { username: 'webhook-user', groups: ['robots', 'system:authenticated'] });
  });

  it('may do what a role of the group allows, and no more', async () => {
    await cluster.run(['create', 'clusterrolebinding', 'devs', '--clusterrole=view', '--group=oidc:dev']);
    const token = await issuer.sign(claims());
    assert.equal((await withToken(token, 'get', 'configmaps', '-A')).code, 0);
    assert.match((await withToken(token, 'get', 'secrets', '-A')).stderr, /User "oidc:jane" cannot list resource "secrets"/);
    assert.match(
      (await withToken(await issuer.sign(claims({ roles: [] })), 'get', 'configmaps', '-A')).stderr,
      /User "oidc:jane" cannot list/,
    );
  });

  it('is turned away with a token that is not good, and told no more', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const token of [
      await issuer.sign(claims({ exp: now - 60 })),
      await issuer.sign(claims({ aud: 'other' })),
      forgeToken({ alg: 'none' }, claims(), 'AA'),
      'unknown',
    ]) {
      assert.match(String(await whoAmI(token)), /^error: You must be logged in to the server \(Unauthorized\)/);
    }
    const review = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: await issuer.sign(claims({ exp: now - 60 })) },
    };
    const stdout = await cluster.run(['create', '-o', 'json', '-f', '-'], { input: JSON.stringify(review) });
    const { status } = JSON.parse(stdout) as { status: { error: string } };
    assert.match(status.error, /oidc: verify token: oidc: token is expired/);
  });

  it('comes without credentials to the named paths only', async () => {
    assert.deepEqual(await Promise.all(['/livez', '/readyz', '/version', '/livez/etcd'].map(statusOf)), [200, 401, 401, 401]);
  });

  it('has the mappings of the changed file without a restart, and those of the last good one while it is wrong', async () => {
    configure('v2:');
    const token = await issuer.sign(claims({ jti: 'id-2' }));
    const until = async (expected: string) => {
      for (let attempt = 0; attempt < 40; attempt++) {
        const user = await whoAmI(await issuer.sign(claims({ jti: `id-${expected}-${attempt}` })));
        if (typeof user === 'object' && user['username'] === expected) return;
        await delay(250);
      }
      assert.fail(`${expected} has not come: ${JSON.stringify(await whoAmI(token))} ${cluster.output()}`);
    };
    await until('v2:jane');
    writeFileSync(configuration(), 'nonsense');
    await delay(2000);
    await until('v2:jane');
    const metrics = await cluster.run(['get', '--raw', '/metrics']);
    assert.match(
      metrics,
      /apiserver_authentication_config_controller_automatic_reloads_total\{status="success",apiserver_id_hash="sha256:\w+"\} 1/,
    );
    assert.match(
      metrics,
      /apiserver_authentication_config_controller_automatic_reloads_total\{status="failure",apiserver_id_hash="sha256:\w+"\} [1-9]/,
    );
    assert.match(
      metrics,
      /apiserver_authentication_jwt_authenticator_latency_seconds_count\{result="success",jwt_issuer_hash="sha256:\w+"\} [1-9]/,
    );
  });
});
