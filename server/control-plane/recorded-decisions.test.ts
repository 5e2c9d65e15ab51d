import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { readBody } from '../../api/client/read-body.ts';
import { createResources } from './create-resources.ts';
import {
  configurationOf,
  type Decision,
  decisionOf,
  type DecisionRequest,
  impersonationHeaders,
  kubeconfigOf,
  type RecordingWebhook,
  startRecordingWebhook,
} from '../apiserver/authorization/testing/decision-cases.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../apiserver/testing/start-api-server.ts';
import { type AuthorizationSetup, openAuthorization } from './open-authorization.ts';

type Recorded = DecisionRequest & { readonly decision: Decision };

/** Answers of a kube-apiserver v1.32 to the same requests, with the same configuration and webhooks. */
const recorded = JSON.parse(
  await readFile(new URL('../apiserver/authorization/testdata/decisions.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/** Nodes of kubets follow all nodes and Pods for the network: a ClusterRole says so where upstream's node authorizer does not. */
const isReadingOfNode = ({ user, method, path: target }: DecisionRequest) =>
  user === 'system:node:a' && method === 'GET' && /^\/api\/v1\/(?:nodes$|namespaces\/default\/pods\?)/.test(target);

describe('decisions with webhooks, beside those of a kube-apiserver', function () {
  this.timeout(120_000);
  let folder: string;
  let webhook: RecordingWebhook;
  let setup: AuthorizationSetup;
  let server: TestAPIServer;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'decisions-'));
    webhook = await startRecordingWebhook();
    const at = (name: string) => path.join(folder, name);
    for (const name of ['first', 'second']) await writeFile(at(name), kubeconfigOf(webhook.port, name));
    await writeFile(at('authorization.yaml'), configurationOf({ first: at('first'), second: at('second') }));
    setup = await openAuthorization({ authorizationConfig: at('authorization.yaml') }, { clock: systemClock, logger: silentLogger });
    server = await startAPIServerInProcess({
      overrides: { authorizers: setup.authorizers },
      createResources: (parts, storage, caches) =>
        createResources(
          { storage, caches, serviceCIDRs: ['10.96.0.0/12'], dialer: { send: () => Promise.reject(new Error('there is no network')) } },
          parts,
        ),
    });
    webhook.take();
  });
  after(async () => {
    await server.close();
    setup.close();
    webhook.close();
    await rm(folder, { recursive: true });
  });

  async function decide(request: DecisionRequest): Promise<Decision> {
    const [target = '', query = ''] = request.path.split('?');
    const repeated = new Map<string, string[]>();
    for (const [name, value] of impersonationHeaders(request)) repeated.set(name, [...(repeated.get(name) ?? []), value]);
    const headers: Record<string, string> = { accept: 'application/json', 'content-type': 'application/json' };
    for (const [name, values] of repeated) headers[name] = values.join(', ');
    const response = await server.transport({
      ...{ method: request.method, path: target, query, headers, signal: AbortSignal.timeout(60_000) },
      repeatedHeaders: Object.fromEntries(repeated),
      user: { name: 'admin', groups: ['system:masters', 'system:authenticated'] },
      ...(request.body === undefined ? {} : { body: Buffer.from(JSON.stringify(request.body)) }),
    });
    const text = Buffer.from(await readBody(response.body)).toString();
    return decisionOf(response.status, text, webhook.take());
  }

  it('are the same, after the same reviews', async () => {
    const different: string[] = [];
    for (const { decision, ...request } of recorded) {
      const own = await decide(request);
      for (const [what, found, expected] of [
        ['decision', comparable(own), comparable(decision)],
        ['reviews', own.asked, decision.asked],
      ] as const) {
        if (isSame(found, expected) || isReadingOfNode(request)) continue;
        different.push(
          `${request.user} ${request.method} ${request.path} ${JSON.stringify(request.body ?? '')}: ${what}\n  ${JSON.stringify(found)}\n  ${JSON.stringify(expected)}`,
        );
      }
    }
    assert.equal(different.length, 0, `${different.length} differ:\n${different.slice(0, 20).join('\n')}`);
  });
});

function isSame(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

/** Upstream's clients read YAML as well, of which a page in HTML is a text: only that it is no review is the same. */
function comparable({ status, said }: Decision): object {
  const isOfParser = typeof said === 'string' && said.includes("couldn't get version/kind; json parse error: ");
  return { status, said: isOfParser ? said.slice(0, said.indexOf('json parse error')) : said };
}
