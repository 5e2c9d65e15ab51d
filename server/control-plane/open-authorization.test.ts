import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { waitFor } from '../../api/client/wait-for.ts';
import type { ConfiguredAuthorizer } from '../apiserver/authorization/authorizer-chain.ts';
import { createMetricFamilies } from '../apiserver/metric-families.ts';
import { openAuthorization, serverID } from './open-authorization.ts';

const { signal } = new AbortController();

describe('the authorization configuration of a server', () => {
  let folder: string;
  let webhook: Server;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'authorization-'));
    webhook = createServer((_request, response) => void response.end('{"status":{"allowed":true}}'));
    await new Promise<void>((resolve) => {
      webhook.listen(0, '127.0.0.1', resolve);
    });
    const { port } = webhook.address() as AddressInfo;
    await writeFile(
      path.join(folder, 'kubeconfig'),
      `{clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}/ask"}}], contexts: [{name: x, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: x}`,
    );
  });
  after(async () => {
    webhook.closeAllConnections();
    webhook.close();
    await rm(folder, { recursive: true });
  });

  const configuration = (name: string, more = '') => `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- {type: RBAC, name: rbac}
- type: Webhook
  name: ${name}
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: ${folder}/kubeconfig}
${more}`;
  const open = (flags: Parameters<typeof openAuthorization>[0]) => openAuthorization(flags, { clock: systemClock, logger: silentLogger });

  it('is taken over when it changes, and the last good one stays', async () => {
    const file = path.join(folder, 'authorization.yaml');
    const replaceFile = async (text: string) => {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    };
    await replaceFile(configuration('first'));
    const setup = await open({ authorizationConfig: file });
    const families = createMetricFamilies();
    const ending = new AbortController();
    const seen: (readonly ConfiguredAuthorizer[])[] = [];
    const following = setup.follow({ metrics: families, replace: (authorizers) => void seen.push(authorizers) }, ending.signal);
    const reloads = async () => {
      let text = '';
      for await (const part of families.texts()) text += part;
      const count = (status: string) => Number(new RegExp(`reloads_total\\{status="${status}",.*\\} (\\d+)`).exec(text)?.[1] ?? 0);
      return { success: count('success'), failure: count('failure') };
    };
    const until = (success: number, failure: number) =>
      waitFor(
        `${success} reloads and ${failure} failures`,
        async () => {
          const found = await reloads();
          return found.success === success && found.failure === failure ? true : undefined;
        },
        { withinSeconds: 20, everyMs: 20, clock: systemClock, signal },
      );
    await until(1, 0);
    assert.deepEqual(
      setup.authorizers.map(({ name }) => name),
      ['rbac', 'first'],
    );
    await replaceFile(configuration('second', 'oops: 1\n'));
    await until(1, 1);
    await replaceFile(configuration('x').replace('- {type: RBAC, name: rbac}\n', ''));
    await until(1, 2);
    assert.equal(seen.length, 0);
    await replaceFile(configuration('second'));
    await until(2, 2);
    await rm(file);
    await until(2, 3);
    ending.abort();
    await following;
    assert.deepEqual(
      seen.map((authorizers) => authorizers.map(({ name }) => name)),
      [['rbac', 'second']],
    );
    const [, changed] = seen[0] ?? [];
    assert.ok(changed?.type === 'Webhook');
    assert.deepEqual(await changed.webhook.post({}, { signal, timeoutMs: 3000 }), { status: { allowed: true } });
    setup.close();
  }).timeout(60_000);

  it('is refused with the name of its file', async () => {
    const file = path.join(folder, 'wrong.yaml');
    await writeFile(file, configuration('A B'));
    await assert.rejects(open({ authorizationConfig: file }), {
      message: /^--authorization-config .*wrong\.yaml: authorizers\[1\]\.name: Invalid value/,
    });
    await assert.rejects(open({ authorizationConfig: path.join(folder, 'none') }), { message: /^--authorization-config .*none: ENOENT/ });
    await writeFile(file, configuration('w').replace(`${folder}/kubeconfig`, folder));
    await assert.rejects(open({ authorizationConfig: file }), { message: /kubeConfigFile: Invalid value: ".*": must be a regular file$/ });
  });

  it('can come from flags', async () => {
    const setup = await open({ authorizationMode: ['Webhook', 'RBAC'], authorizationWebhookConfigFile: path.join(folder, 'kubeconfig') });
    assert.deepEqual(
      setup.authorizers.map(({ type, name }) => [type, name]),
      [
        ['Webhook', 'default'],
        ['RBAC', 'rbac'],
      ],
    );
    setup.close();
  });

  it('knows the server by the name that upstream gives it', () => {
    assert.equal(serverID('localhost'), 'apiserver-jgla3zmib2ggq5buc4hwi5talm');
  });
});
