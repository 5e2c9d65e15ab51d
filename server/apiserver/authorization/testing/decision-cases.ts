import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request of a user, and nothing that depends on the server that it is sent to. */
export interface DecisionRequest {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, string>>;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body?: object;
}

/** A SubjectAccessReview that a webhook was asked with. */
export interface AskedReview {
  readonly webhook: string;
  readonly apiVersion: string;
  readonly spec: unknown;
}

/** The answers of a webhook by the last part of a user's name, such as `first-deny`. */
const answers: Readonly<Record<string, readonly [status: number, body: string]>> = {
  allow: [200, '{"status":{"allowed":true,"reason":"allowed by the webhook"}}'],
  deny: [200, '{"status":{"allowed":false,"denied":true,"reason":"denied by the webhook"}}'],
  none: [200, '{"status":{"allowed":false,"reason":"no opinion of the webhook"}}'],
  silent: [200, '{"status":{}}'],
  empty: [200, '{}'],
  both: [200, '{"status":{"allowed":true,"denied":true,"reason":"both"}}'],
  evaluation: [200, '{"status":{"allowed":true,"evaluationError":"half of it"}}'],
  status: [200, '{"kind":"Status","apiVersion":"v1","status":"Success"}'],
  version: [200, '{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v7","status":{"allowed":true}}'],
  text: [200, '"allowed"'],
  html: [200, '<html>'],
  string: [200, '{"status":{"allowed":"true"}}'],
  forbidden: [403, '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"go away","code":403,"reason":"Forbidden"}'],
  unavailable: [503, 'not now'],
  created: [201, '{"status":{"allowed":true}}'],
};

export interface RecordingWebhook {
  readonly port: number;
  /** The reviews since it was called last. */
  take(): AskedReview[];
  close(): void;
}

/** A webhook on loopback that decides by the user's name and records the requests. */
export async function startRecordingWebhook(port = 0): Promise<RecordingWebhook> {
  let asked: AskedReview[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { apiVersion, spec } = JSON.parse(text) as { apiVersion: string; spec: { user?: string } };
      const webhook = new URL(request.url ?? '/', 'http://x').pathname.slice(1);
      asked.push({ webhook, apiVersion, spec });
      const { user = '' } = spec;
      const [status, body] = (user.startsWith(webhook) ? answers[user.slice(user.lastIndexOf('-') + 1)] : undefined) ?? [200, '{}'];
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = asked;
      asked = [];
      return taken;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function kubeconfigOf(port: number, webhook: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'w', cluster: { server: `http://127.0.0.1:${port}/${webhook}` } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
    'current-context': 'c',
  });
}

/** Two webhooks, of each version and each failure policy, and the authorizers of the server. */
export function configurationOf(kubeconfigs: { readonly first: string; readonly second: string }): string {
  const webhook = (name: string, more: object) => ({
    type: 'Webhook',
    name,
    webhook: { timeout: '3s', authorizedTTL: '1s', unauthorizedTTL: '1s', matchConditionSubjectAccessReviewVersion: 'v1', ...more },
  });
  const connectionInfo = (kubeConfigFile: string) => ({ type: 'KubeConfigFile', kubeConfigFile });
  const authorizers = [
    webhook('first', {
      ...{ subjectAccessReviewVersion: 'v1beta1', failurePolicy: 'NoOpinion', connectionInfo: connectionInfo(kubeconfigs.first) },
      matchConditions: [{ expression: "!request.user.startsWith('second')" }, { expression: "!('skipped' in request.groups)" }],
    }),
    { type: 'Node', name: 'node' },
    { type: 'RBAC', name: 'rbac' },
    webhook('second', {
      ...{ subjectAccessReviewVersion: 'v1', failurePolicy: 'Deny', connectionInfo: connectionInfo(kubeconfigs.second) },
      matchConditions: [
        { expression: "!('system:masters' in request.groups) && !request.user.startsWith('system:')" },
        { expression: "!has(request.extra.strict) || request.resourceAttributes.namespace == 'default'" },
      ],
    }),
  ];
  return JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1beta1', kind: 'AuthorizationConfiguration', authorizers });
}

const namespaced = '/api/v1/namespaces/default';
const dryRun = 'dryRun=All';

/** Requests of all kinds of attributes. */
const requests: readonly Pick<DecisionRequest, 'method' | 'path' | 'body'>[] = [
  { method: 'GET', path: `${namespaced}/configmaps` },
  { method: 'GET', path: '/api/v1/nodes' },
  { method: 'GET', path: '/apis/apps/v1/deployments?limit=5' },
  { method: 'GET', path: `${namespaced}/pods?fieldSelector=spec.nodeName%3Da,status.phase!%3DRunning` },
  { method: 'GET', path: `${namespaced}/pods?labelSelector=a%3Db,c+in+(x),!d,e,f+notin+(z),g!%3Dh` },
  { method: 'GET', path: `${namespaced}/pods?fieldSelector=metadata.name%3Dp&labelSelector=a` },
  { method: 'GET', path: `${namespaced}/secrets?watch=true&timeoutSeconds=1&labelSelector=a` },
  { method: 'DELETE', path: `${namespaced}/secrets?labelSelector=no%3Dthing&${dryRun}` },
  { method: 'GET', path: `${namespaced}/pods/none/log` },
  { method: 'DELETE', path: `${namespaced}/configmaps/none?${dryRun}` },
  { method: 'POST', path: `${namespaced}/configmaps?${dryRun}`, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made' } } },
  { method: 'GET', path: '/version' },
  { method: 'GET', path: '/metrics/slis' },
  { method: 'GET', path: '/nowhere/at/all' },
];

const review = (attributes: object, more: object = {}) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: {
    resourceAttributes: { namespace: 'n', verb: 'list', version: 'v1', resource: 'pods', ...attributes },
    user: 'second-allow',
    ...more,
  },
});

const reviewed: readonly object[] = [
  review({}),
  review({}, { user: 'first-deny', groups: ['g'], uid: '9', extra: { b: ['2', '1'], a: ['x'] } }),
  review({}, { user: 'second-both' }),
  review({}, { user: 'first-none' }),
  review({ group: 'apps', resource: 'deployments', subresource: 'scale', name: 'd', verb: 'update' }),
  review({ fieldSelector: { rawSelector: 'spec.nodeName=a,b!=c' } }),
  review({ fieldSelector: { rawSelector: 'nonsense' } }),
  review({ fieldSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] } }),
  review({ fieldSelector: { requirements: [{ key: 'a', operator: 'Exists' }] } }),
  review({ labelSelector: { rawSelector: 'a=b,c>5,!d' } }),
  review({
    labelSelector: {
      requirements: [
        { key: 'a', operator: 'NotIn', values: ['b', 'c'] },
        { key: 'd', operator: 'Gt', values: ['1'] },
      ],
    },
  }),
  { ...review({}), spec: { nonResourceAttributes: { path: '/x', verb: 'get' }, user: 'first-allow', groups: ['g'] } },
];

const users: readonly Omit<DecisionRequest, 'method' | 'path' | 'body'>[] = [
  ...['first', 'second'].flatMap((webhook) => Object.keys(answers).map((answer) => ({ user: `${webhook}-${answer}`, groups: ['dev'] }))),
  { user: 'nobody', groups: ['dev'] },
  { user: 'first-allow', groups: ['skipped'] },
  { user: 'second-allow', groups: ['dev'], uid: '42', extra: { scopes: 'view' } },
  { user: 'second-allow', groups: ['dev'], extra: { strict: 'yes' } },
  { user: 'system:node:a', groups: ['system:nodes'] },
  { user: 'root', groups: ['system:masters'] },
];

/** All that is compared, in the order in which it is sent. */
export const decisionRequests: readonly DecisionRequest[] = [
  ...users.flatMap((user) => requests.map((request) => ({ ...user, ...request }))),
  ...reviewed.map(
    (body): DecisionRequest => ({
      user: 'root',
      groups: ['system:masters'],
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body,
    }),
  ),
];

/** How a server has answered a request: its decision, and the reviews that it took. */
export interface Decision {
  readonly status: number;
  /** The message of a refusal, or the status of a review. */
  readonly said?: unknown;
  readonly asked: readonly AskedReview[];
}

/** The headers with which a member of system:masters impersonates the user. */
export function impersonationHeaders({ user, groups = [], uid, extra = {} }: DecisionRequest): readonly (readonly [string, string])[] {
  return [
    ['impersonate-user', user],
    ...groups.map((group) => ['impersonate-group', group] as const),
    ...(uid === undefined ? [] : [['impersonate-uid', uid] as const]),
    ...Object.entries(extra).map(([key, value]) => [`impersonate-extra-${key}`, value] as const),
  ];
}

/** The part of an answer that servers have in common. */
export function decisionOf(status: number, text: string, asked: readonly AskedReview[]): Decision {
  const parsed = ((): { kind?: string; status?: unknown; message?: unknown } | undefined => {
    try {
      return JSON.parse(text) as object;
    } catch {
      return undefined;
    }
  })();
  if (parsed?.kind === 'SubjectAccessReview') return { status, said: parsed.status, asked };
  if (status === 403) return { status, said: parsed?.message ?? text, asked };
  if (status === 500) return { status, said: text, asked };
  return { status, asked };
}
