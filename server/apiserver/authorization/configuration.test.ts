import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readAuthorizationConfiguration } from './configuration.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  /** Absent: it is valid. */
  readonly error?: string;
}

/** Recorded from kube-apiserver v1.32 with `--authorization-config`. */
const cases = JSON.parse(readFileSync(new URL('testdata/configurations.json', import.meta.url), 'utf8')) as readonly Case[];

/** The cases with another answer: other YAML readers, fields that v1.32 does not have, and types that are not supported here. */
const others: ReadonlyMap<string, string> = new Map([
  ['not yaml', 'failed to load AuthorizationConfiguration from file: yaml: line 1: bad indentation of a mapping entry'],
  [
    'cache not boolean',
    'failed to load AuthorizationConfiguration from file: json: cannot unmarshal string into Go struct field WebhookConfiguration.authorizers.webhook.cacheAuthorizedRequests of type bool',
  ],
  [
    'bad connection type',
    'authorizers[0].connectionInfo.type: Unsupported value: "Foo": supported values: "InClusterConfig", "KubeConfigFile"',
  ],
  ['in cluster', 'authorizers[0].connectionInfo.type: Invalid value: "InClusterConfig": not allowed for kube-apiserver'],
]);

const files: ReadonlyMap<string, string | undefined> = new Map([
  ['/etc/authz/webhook.kubeconfig', undefined],
  ['/etc/authz', 'must be a regular file'],
]);
const findFileProblem = (path: string) =>
  files.has(path) ? files.get(path) : `error loading file: stat ${path}: no such file or directory`;
const read = (text: string, requiredTypes: readonly string[] = []) =>
  readAuthorizationConfiguration(Buffer.from(text), { findFileProblem, requiredTypes });

function problemOf(text: string): string | undefined {
  try {
    read(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n';

describe('AuthorizationConfiguration', () => {
  for (const { name, text, error } of cases.filter(({ name: one }) => one !== 'mc: authorizer')) {
    it(`is refused or taken as by kube-apiserver: ${name}`, () => {
      // Recorded among other errors, of whose list these were a part.
      assert.equal(problemOf(text)?.replace(/^\[(.*)\]$/s, '$1'), others.get(name) ?? error);
    });
  }

  it('has the defaults of upstream', () => {
    const [webhook] = read(`${head}
authorizers:
- type: Webhook
  name: w
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    failurePolicy: NoOpinion
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: /etc/authz/webhook.kubeconfig}
`);
    assert.deepEqual(webhook, {
      type: 'Webhook',
      name: 'w',
      webhook: {
        authorizedTTLMs: 300_000,
        unauthorizedTTLMs: 30_000,
        timeoutMs: 3000,
        reviewVersion: 'v1',
        failurePolicy: 'NoOpinion',
        kubeConfigFile: '/etc/authz/webhook.kubeconfig',
        matchConditions: [],
      },
    });
  });

  it('can keep answers of a webhook out of the cache', () => {
    const [webhook] = read(`${head}
authorizers:
- type: Webhook
  name: w
  webhook:
    timeout: 3s
    authorizedTTL: 1m
    cacheAuthorizedRequests: false
    unauthorizedTTL: 90s
    cacheUnauthorizedRequests: true
    subjectAccessReviewVersion: v1beta1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: /etc/authz/webhook.kubeconfig}
`);
    assert.ok(webhook?.type === 'Webhook');
    assert.equal(webhook.webhook.authorizedTTLMs, 0);
    assert.equal(webhook.webhook.unauthorizedTTLMs, 90_000);
  });

  it('has to name the types that the server was started with', () => {
    const text = `${head}authorizers: [{type: AlwaysAllow, name: alwaysallow}]\n`;
    assert.throws(() => read(text, ['RBAC', 'Node']), { message: 'missing required types: [Node RBAC]' });
  });

  it('refuses ABAC by name', () => {
    assert.equal(
      problemOf(`${head}authorizers: [{type: ABAC, name: abac}]\n`),
      'authorizers[0].type: Invalid value: "ABAC": ABAC policy files are not supported, use RBAC or a webhook',
    );
  });
});
